/**
 * Makes a root out of the keys of the ceremony, and has every custodian sign it.
 *
 * Invariant: the body follows from the plan, the transcript and the public files alone, so that a step taken again signs
 * the same bytes, and `verify` makes them anew.
 */
import { instantOf } from '../../../core/brands.ts';
import type { KeyId } from '../../../core/brands.ts';
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { Files, Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { signatureAlgorithm } from '../../../crypto/signatures/index.ts';
import type { CeremonyPlan } from '../../../formats/ceremony-plan.ts';
import { ceremonyKeyName } from '../../../formats/ceremony-plan.ts';
import {
  assembleEnvelope,
  canonicalOf,
  decodeRole,
  dialectOfBytes,
  encodeSigned,
  signatureMessage,
} from '../../../formats/metadata/envelope.ts';
import type { KeySignature } from '../../../formats/metadata/envelope.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import { TOP_LEVEL_ROLES } from '../../../formats/metadata/types.ts';
import type { KeyRing, TopLevelRole } from '../../../formats/metadata/types.ts';
import type { TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import { rootBody } from '../../../plan/bodies.ts';
import { firstDefinition } from '../../../plan/role-definition.ts';
import type { PublicFile, RoleDefinition } from '../../../plan/role-definition.ts';
import type { RootKind, RootStep } from '../../../plan/ceremony/steps.ts';
import { requireThresholds } from '../../../trust/role-policy.ts';
import { rootPolicy } from '../../../trust/state.ts';
import { broughtKeys, roleOf } from './brought.ts';
import { askInitials, officers, openFacts } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { ceremonyPaths, readText, writeAndReadBack } from './folder.ts';
import { unlock } from './unlock.ts';

const DAY_SECONDS = 86_400;
const ROOT_BYTES_MAX = 1024 * 1024;

/** What a ceremony's folder says, for making its roots. */
export interface CeremonyRecord {
  readonly plan: CeremonyPlan;
  readonly folder: string;
  readonly entries: readonly TranscriptEntry[];
}

/** The definitions of the four roles. @throws FILE_NOT_FOUND, KEY_*, THRESHOLD_UNREACHABLE */
export async function rootDefinitions(
  files: Files,
  { plan, folder }: CeremonyRecord,
  root: RootKind,
): Promise<ReadonlyMap<TopLevelRole, RoleDefinition>> {
  const definitions = new Map<TopLevelRole, RoleDefinition>();
  for (const name of TOP_LEVEL_ROLES) {
    const own = name === 'root';
    const brought = roleOf(plan, root === 'image' ? name : `director/${name}`);
    const publicFiles = own ? await rootKeys(files, { plan, folder }, root) : await filesOf(files, folder, brought);
    const threshold = own ? plan.threshold : (brought?.threshold ?? 1);
    const lifetime = own ? { lifetimeSeconds: plan.expiresDays * DAY_SECONDS } : {};
    definitions.set(name, firstDefinition(name, publicFiles, { threshold, ...lifetime }));
  }
  return definitions;
}

/** The public files of all custodians' keys of one root. */
export async function rootKeys(
  files: Files,
  { plan, folder }: Pick<CeremonyRecord, 'plan' | 'folder'>,
  root: RootKind,
): Promise<readonly PublicFile[]> {
  const paths = ceremonyPaths(folder);
  const read = plan.custodians.map(async (custodian) => ({
    name: ceremonyKeyName(custodian.initials, root),
    text: await readText(files, paths.publicKey(custodian, root)),
  }));
  return await Promise.all(read);
}

async function filesOf(
  files: Files,
  folder: string,
  role: CeremonyPlan['roles'][number] | undefined,
): Promise<readonly PublicFile[]> {
  if (role === undefined) return [];
  return (await broughtKeys(files, folder, role)).map(({ text }, i) => ({ name: `${role.role}-${i + 1}`, text }));
}

/** The `signed` bytes of a root, as the ceremony's record has them. @throws as {@link rootDefinitions}, HYBRID_INCOMPLETE */
export async function rootPayload(
  files: Files,
  record: CeremonyRecord,
  root: RootKind,
): Promise<Uint8Array<ArrayBuffer>> {
  const { repository, started } = openFacts(record.entries);
  const expires = instantOf(started + record.plan.expiresDays * DAY_SECONDS, 'expiry');
  const definitions = await rootDefinitions(files, record, root);
  const dialect = dialectOf(record.plan.dialect);
  const body = rootBody({ version: 1, expires, repository, kind: root }, definitions, new Map());
  return encodeSigned({ ...body, consistentSnapshot: dialect.consistentSnapshot }, dialect);
}

/** Makes the root and has it signed. @throws CEREMONY_MEDIUM_MISSING, CEREMONY_ROOT_OTHER, HYBRID_INCOMPLETE, TRUST_* */
export async function signRoot(ceremony: Ceremony, { root }: RootStep): Promise<StepAnswer> {
  const { io, asker, plan, folder, transcript } = ceremony;
  const payload = await rootPayload(io.files, { plan, folder, entries: transcript.entries }, root);
  await showRoot(ceremony, root, payload);
  const path = ceremonyPaths(folder).root(root);
  const there = (await io.files.status(path)) !== undefined;
  const file = there ? await io.files.read(path, ROOT_BYTES_MAX) : await signedRoot(ceremony, root, payload);
  requireRoot(io, { file, payload, root });
  if (!there) await writeAndReadBack(io, path, file);
  const facts = { payloadSha256: toHex(sha256(io.engine, payload)), fileSha256: toHex(sha256(io.engine, file)) };
  return { initials: await askInitials(asker, officers(plan)), facts };
}

/** The people in the room agree to what they see, not to what they hope. */
async function showRoot({ asker }: Ceremony, root: RootKind, payload: Uint8Array): Promise<void> {
  const unsigned = assembleEnvelope(payload, { classical: [], postQuantum: [] }, dialectOfBytes(payload));
  const body = decodeRole(unsigned, 'root').unverified.signed;
  const fact = (label: string, text: string) => ({ kind: 'fact', label, text }) as const;
  const roles = [...body.roles].map(([name, { keyIds, threshold }]) =>
    fact(name, `${threshold} of ${keyIds.length}: ${keyIds.map((id) => shownId(body.keys, id)).join(', ')}`),
  );
  const hybrid = body.extension?.hybrid === undefined ? 'no' : 'yes: every role also needs post-quantum signatures';
  const expires = new Date(body.expires * 1000).toISOString().slice(0, 10);
  await asker.tell([
    fact('root of', `the ${root} repository ${body.extension?.repository ?? ''}, version ${body.version}`),
    fact('expires', expires),
    ...roles,
    fact('hybrid', hybrid),
  ]);
}

/** The beginning of the id that people have read on a public file, whatever the root lists the key under. */
function shownId(keys: KeyRing['keys'], listed: KeyId): string {
  return (keys.get(listed)?.publicKey?.keyId ?? listed).slice(0, 16);
}

async function signedRoot(ceremony: Ceremony, root: RootKind, payload: Uint8Array): Promise<Uint8Array> {
  const canonical = canonicalOf(payload);
  const lists = { classical: new Array<KeySignature>(), postQuantum: new Array<KeySignature>() };
  for (const custodian of ceremony.plan.custodians) {
    using signer = await unlock(ceremony, custodian, root);
    for (const { publicKey: key, sign } of signer.keys) {
      const { family } = signatureAlgorithm(key.algorithm);
      const signature = await sign(signatureMessage(family, canonical, ceremony.io.engine));
      lists[family === 'classical' ? 'classical' : 'postQuantum'].push({ key, signature });
    }
    await ceremony.asker.tell([{ kind: 'fact', label: custodian.name, text: `signed with ${signer.description}` }]);
  }
  return assembleEnvelope(payload, lists, dialectOfBytes(payload));
}

/** Demands that `file` is the root with this payload, signed by every key of its root role. @throws CEREMONY_ROOT_OTHER, TRUST_* */
export function requireRoot(io: Io, root: { file: Uint8Array; payload: Uint8Array; root: RootKind }): void {
  const { unverified: envelope } = decodeRole(root.file, 'root');
  if (!equalBytes(envelope.canonical, canonicalOf(root.payload))) {
    throw failure('CEREMONY_ROOT_OTHER', `the ${root.root} root is not the one that the ceremony's record gives`);
  }
  const policy = rootPolicy(envelope.signed, 'root');
  const all = <T extends { readonly keys: ReadonlyMap<string, unknown> }>(part: T): T => ({
    ...part,
    threshold: part.keys.size,
  });
  const everyone = {
    ...policy,
    classical: all(policy.classical),
    postQuantum: policy.postQuantum === undefined ? undefined : all(policy.postQuantum),
  };
  requireThresholds({ engine: io.engine, envelope, policy: everyone });
}
