/** A new repository that begins with the roots of a ceremony, byte for byte as they were signed there. */
import { failure } from '../../core/errors.ts';
import type { Files, Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { decodeRole, encodeSigned } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Envelope, Root } from '../../formats/metadata/types.ts';
import type { RoleDefinition } from '../../plan/role-definition.ts';
import { firstDefinition } from '../../plan/role-definition.ts';
import { ROOT_KINDS, rootsOf } from '../../plan/ceremony/steps.ts';
import type { RootKind } from '../../plan/ceremony/steps.ts';
import type { Tx } from '../../store/reader.ts';
import { createRepository } from '../../store/repository.ts';
import { roleAt } from '../../store/roles.ts';
import { addSignature, completeVersion, freezeVersion } from '../../store/versions.ts';
import type { StoredSignature } from '../../store/versions.ts';
import { broughtKeys, roleOf } from '../keys/ceremony/brought.ts';
import { openFacts } from '../keys/ceremony/ceremony.ts';
import type { CeremonyReport } from '../keys/ceremony/ceremony.ts';
import { ceremonyPaths } from '../keys/ceremony/folder.ts';
import { rootDefinitions, rootKeys } from '../keys/ceremony/root.ts';
import type { CeremonyRecord } from '../keys/ceremony/root.ts';
import { verifyCeremony } from '../keys/ceremony/verify.ts';
import type { InitAnswer } from './init.ts';
import { markRehearsal } from './rehearsal.ts';
import { setEscrow, stageDefinition } from './role-set.ts';

/** Which ceremony begins which repository. */
export interface InitFromCeremonyInput {
  readonly folder: string;
  readonly ceremony: string;
  /** The name of the ceremony's plan by default. */
  readonly name?: string | undefined;
  /** That of the ceremony's plan; another one is refused. */
  readonly dialect?: string | undefined;
  /** Accept a rehearsal; the repository is marked as one. */
  readonly rehearsal: boolean;
  readonly dryRun?: boolean | undefined;
  readonly report: CeremonyReport;
}

const ROOT_BYTES_MAX = 1024 * 1024;
const DAY_SECONDS = 86_400;

/** Makes the repository. @throws REPOSITORY_EXISTS, and what `ceremony verify` refuses */
export async function initFromCeremony(input: InitFromCeremonyInput, io: Io): Promise<InitAnswer> {
  const { folder, rehearsal, report } = input;
  const verdict = await verifyCeremony({ folder: input.ceremony, rehearsal, allowSkip: [], report }, io);
  if (verdict.refusal !== undefined) throw verdict.refusal;
  if (verdict.ceremony === undefined) throw failure('INTERNAL', 'a ceremony was verified that was not read');
  const { plan, transcript } = verdict.ceremony;
  const content = await contentOf({ plan, folder: input.ceremony, entries: transcript.entries }, io);
  const { dialect } = plan;
  if (input.dialect !== undefined && input.dialect !== dialect) {
    throw failure('USAGE', `the roots of this ceremony are of dialect ${dialect}, not ${input.dialect}`);
  }
  const identity = { name: input.name ?? plan.repository, dialect };
  const { repository: uuid } = openFacts(transcript.entries);
  if (input.dryRun === true) {
    if ((await io.files.status(`${folder}/repo.db`)) === undefined) return { ...identity, uuid };
    throw failure('REPOSITORY_EXISTS', `${folder} holds a repository already`);
  }
  const fill = (tx: Tx): void => {
    if (verdict.ceremony?.rehearsal === true) markRehearsal(tx);
    fillFrom(tx, content);
    tx.summarize(`made the repository ${identity.name} from the ceremony ${plan.title}`);
  };
  using repository = await createRepository(io, folder, { ...identity, uuid, fill });
  return repository.identity;
}

interface RootContent {
  readonly root: RootKind;
  readonly definitions: ReadonlyMap<string, RoleDefinition>;
  /** Undefined where the ceremony made keys but no root. */
  readonly file: Uint8Array | undefined;
}

interface Content {
  readonly roots: readonly RootContent[];
  readonly escrow: string | undefined;
}

async function contentOf(record: CeremonyRecord, { files }: Io): Promise<Content> {
  const { plan, folder } = record;
  const roots: RootContent[] = [];
  for (const root of ROOT_KINDS) {
    const made = rootsOf(plan).includes(root);
    const file = made ? await files.read(ceremonyPaths(folder).root(root), ROOT_BYTES_MAX) : undefined;
    const definitions = made ? await rootDefinitions(files, record, root) : await rootAlone(files, record, root);
    roots.push({ root, file, definitions });
  }
  const role = roleOf(plan, 'escrow');
  const [escrow] = role === undefined ? [] : await broughtKeys(files, folder, role);
  return { roots, escrow: escrow?.text };
}

/** Where no root was signed, its keys are staged for the first one. */
async function rootAlone(files: Files, record: CeremonyRecord, root: RootKind): Promise<RootContent['definitions']> {
  const terms = { threshold: record.plan.threshold, lifetimeSeconds: record.plan.expiresDays * DAY_SECONDS };
  return new Map([['root', firstDefinition('root', await rootKeys(files, record, root), terms)]]);
}

function fillFrom(tx: Tx, { roots, escrow }: Content): void {
  for (const { root, definitions, file } of roots) {
    for (const [name, definition] of definitions) {
      stageDefinition(tx, { repository: root, name }, { definition, others: new Map() });
    }
    if (file !== undefined) takeRoot(tx, root, file);
  }
  if (escrow !== undefined) setEscrow(tx, [{ name: 'escrow', text: escrow }], false);
}

/** The staged definitions become version 1, which is complete as it comes. */
function takeRoot(tx: Tx, kind: RootKind, file: Uint8Array): void {
  const { unverified: envelope } = decodeRole(file, 'root');
  const address = { repository: kind, name: 'root' };
  const { version, expires } = envelope.signed;
  const payload = encodeSigned(envelope.signed, dialectOf(envelope.dialect));
  freezeVersion(tx, roleAt(tx, address), { version, payload, expires, takesStaged: true });
  const role = roleAt(tx, address);
  for (const signature of signaturesOf(envelope)) addSignature(tx, role, { ...signature, version });
  completeVersion(tx, role, { version, file, sha256: sha256(tx.io.engine, file) });
}

function signaturesOf(envelope: Envelope<Root>): readonly StoredSignature[] {
  const dialect = dialectOf(envelope.dialect);
  const listed = envelope.signatures.map(({ keyId, encoded }): StoredSignature => {
    const key = envelope.signed.keys.get(keyId)?.publicKey;
    if (key === undefined) throw failure('INTERNAL', `the verified root has a signature of unknown key ${keyId}`);
    // Files of a dialect may list a key under another id than ours.
    const signature = dialect.decodeSignature(key.algorithm, encoded);
    return { section: 'classical', keyId: key.keyId, signature };
  });
  const hybrid = envelope.hybridSignatures.map(({ keyId, signature }): StoredSignature => {
    return { section: 'post-quantum', keyId, signature };
  });
  return [...listed, ...hybrid];
}
