/** Checks a whole ceremony's folder offline: everything its transcript says, against everything that lies there. */
import { equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { SecureevError, failure, isFailure, kindOf } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { Check } from '../../../core/report.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { signatureAlgorithm } from '../../../crypto/signatures/index.ts';
import type { Custodian } from '../../../formats/ceremony-plan.ts';
import { COSE_SIGN_BYTES_MAX, coseToBeSigned, decodeCoseSign } from '../../../formats/cose/cose-sign.ts';
import { jsonInteger, jsonList, jsonMember, jsonText } from '../../../formats/json/read.ts';
import { decodePublicFile } from '../../../formats/keys/public-file.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import { transcriptToSign } from '../../../formats/transcript/transcript.ts';
import { ceremonyState } from '../../../plan/ceremony/progress.ts';
import { ROOT_KINDS, ceremonySteps, rootsOf } from '../../../plan/ceremony/steps.ts';
import type { RootKind } from '../../../plan/ceremony/steps.ts';
import { checkBook, refusalFrom } from '../../release/check-book.ts';
import { broughtKeys } from './brought.ts';
import { factsOf, keyMade, openFacts } from './ceremony.ts';
import type { CeremonyReport } from './ceremony.ts';
import { possessionStatement } from './confirm.ts';
import { ceremonyPaths, readText } from './folder.ts';
import { requireRoot, rootPayload } from './root.ts';
import { loadCeremony } from './run.ts';
import type { LoadedCeremony } from './run.ts';

/** The checks, in order. */
export const CEREMONY_CHECKS = {
  transcript: 'every line of the transcript follows from the one before, and begins with this plan',
  steps: 'every step of the plan was done, in its order, and the ceremony was closed',
  production: 'it was no rehearsal',
  keys: 'the public files are of the keys that were made, each of one custodian for one root',
  possession: 'every custodian proved that they can use their keys',
  backups: 'every backup was restored once',
  roles: 'the keys of the other roles are those of the plan',
  roots: 'the roots are what the record gives, signed by every custodian',
  signatures: 'the transcript is signed by every key that was made',
  report: 'the printable report is of this transcript',
} as const;
type CheckId = keyof typeof CEREMONY_CHECKS;

/** Which folder, and what is allowed. */
export interface CeremonyVerifyInput {
  readonly folder: string;
  /** Accept a rehearsal. */
  readonly rehearsal: boolean;
  readonly allowSkip: readonly string[];
  readonly report: CeremonyReport;
}

/** The checks, and why they as a whole are refused, if they are. */
export interface CeremonyVerdict {
  readonly checks: readonly Check[];
  readonly refusal: SecureevError | undefined;
  /** The ceremony, where it could be read. */
  readonly ceremony: LoadedCeremony | undefined;
}

/** Checks a ceremony. @throws FILE_ACCESS, INTERRUPTED */
export async function verifyCeremony(input: CeremonyVerifyInput, io: Io): Promise<CeremonyVerdict> {
  const book = checkBook<CheckId>(CEREMONY_CHECKS);
  const attempt = async <T>(id: CheckId, work: () => Promise<{ value: T; detail: string }>): Promise<T | undefined> => {
    try {
      const { value, detail } = await work();
      book.pass(id, detail);
      return value;
    } catch (thrown) {
      if (!isFailure(thrown) || isFailure(thrown, 'INTERRUPTED') || isFailure(thrown, 'FILE_ACCESS')) throw thrown;
      book.fail(id, refusal(thrown));
      return undefined;
    }
  };
  const ceremony = await attempt('transcript', async () => {
    const value = await loadCeremony(input.folder, io);
    return { value, detail: `${value.transcript.head.length} lines, the last ${toHex(value.transcript.head.hash)}` };
  });
  if (ceremony !== undefined) {
    for (const [id, check] of checksOf(input, io, ceremony)) {
      await attempt(id, async () => ({ value: true, detail: await check() }));
    }
  }
  const checks = book.list();
  return { checks, refusal: refusalFrom(checks, input.allowSkip), ceremony };
}

/** Whatever is wrong with the folder, a missing file included, is a refusal. */
function refusal(error: SecureevError): SecureevError {
  const { code, message, hint, details } = error;
  if (['refused', 'malformed'].includes(kindOf(code))) return error;
  return new SecureevError('CHECK_FAILED', { message: `[${code}] ${message}`, hint, details });
}

type NamedCheck = readonly [CheckId, () => Promise<string> | string];

function checksOf(input: CeremonyVerifyInput, io: Io, ceremony: LoadedCeremony): readonly NamedCheck[] {
  const at: Looking = { ...ceremony, folder: input.folder, io };
  return [
    ['steps', () => checkSteps(at)],
    ['production', () => checkProduction(ceremony, input.rehearsal)],
    ['keys', () => checkKeys(at)],
    ['possession', () => checkPossession(at)],
    ['backups', () => checkBackups(at)],
    ['roles', () => checkRoles(at)],
    ['roots', () => checkRoots(at)],
    ['signatures', () => checkSignatures(at)],
    ['report', () => checkReport(at, input.report)],
  ];
}

interface Looking extends LoadedCeremony {
  readonly io: Io;
  readonly folder: string;
}

function checkSteps({ plan, transcript }: Looking): string {
  const steps = ceremonySteps(plan);
  const state = ceremonyState(steps, transcript.entries);
  if (state.kind === 'aborted') throw failure('CEREMONY_OVER', 'the ceremony was given up');
  if (state.kind === 'next') {
    throw failure('TRANSCRIPT_BROKEN', `the ceremony is not over: ${state.done} of ${state.total} steps are done`);
  }
  const failed = transcript.entries.filter(({ outcome }) => outcome === 'failed').length;
  return `${steps.length} steps${failed === 0 ? '' : `, ${failed} of them failed first and were taken again`}`;
}

function checkProduction({ rehearsal }: LoadedCeremony, accepted: boolean): string {
  if (!rehearsal) return 'keys for production';
  if (accepted) return 'a rehearsal, as was asked for';
  throw new SecureevError('CEREMONY_REHEARSAL', {
    message: 'this was a rehearsal: its keys are not for production',
    hint: 'accept it with --rehearsal',
  });
}

interface Held {
  readonly custodian: Custodian;
  readonly root: RootKind;
}

function everyKey({ plan }: Looking): readonly Held[] {
  return plan.custodians.flatMap((custodian) => ROOT_KINDS.map((root) => ({ custodian, root })));
}

/** The public keys of a custodian, from the public file that the transcript names by its hash. */
async function publicKeys(at: Looking, { custodian, root }: Held): Promise<readonly PublicKey[]> {
  const path = ceremonyPaths(at.folder).publicKey(custodian, root);
  const text = utf8(await readText(at.io.files, path));
  const made = keyMade(at.transcript.entries, custodian, root);
  const { keys } = decodePublicFile(text);
  const same = keys.map(({ keyId }) => keyId).join() === made.keys.map(({ keyId }) => keyId).join();
  if (!same || toHex(sha256(at.io.engine, text)) !== made.publicSha256) {
    throw failure('CEREMONY_KEY_OTHER', `${path} is not the public file that was written in the ceremony`);
  }
  return keys;
}

async function checkKeys(at: Looking): Promise<string> {
  const seen = new Set<string>();
  for (const held of everyKey(at)) {
    for (const { keyId } of await publicKeys(at, held)) {
      if (seen.has(keyId)) throw failure('KEY_DUPLICATE', `key ${keyId} is there twice`, { keyId });
      seen.add(keyId);
    }
  }
  return `${seen.size} keys of ${at.plan.custodians.length} custodians`;
}

async function checkPossession(at: Looking): Promise<string> {
  for (const held of everyKey(at)) {
    const path = ceremonyPaths(at.folder).possession(held.custodian, held.root);
    const what = possessionStatement(at.transcript.entries, held.custodian, held.root);
    await requireSignatures(at, { path, keys: await publicKeys(at, held), ...what });
  }
  return `${everyKey(at).length} proofs`;
}

interface Signed {
  readonly path: string;
  readonly keys: readonly PublicKey[];
  readonly payload: Uint8Array;
  readonly externalAad: Uint8Array;
}

/** Demands exactly one good signature by each key. @throws CEREMONY_UNSIGNED, SIGNATURE_INVALID, COSE_MALFORMED */
async function requireSignatures({ io }: Looking, { path, keys, ...what }: Signed): Promise<void> {
  const signatures = decodeCoseSign(await io.files.read(path, COSE_SIGN_BYTES_MAX));
  for (const { keyId, algorithm, bytes: publicKey } of keys) {
    const found = signatures.find((one) => one.keyId === keyId);
    if (found === undefined || found.algorithm !== algorithm) {
      throw failure('CEREMONY_UNSIGNED', `${path} has no signature by key ${keyId}`, { keyId });
    }
    const message = coseToBeSigned({ algorithm: found.algorithm, keyId, ...what });
    signatureAlgorithm(found.algorithm).verify({ engine: io.engine, publicKey, message, signature: found.signature });
  }
  if (signatures.length !== keys.length) throw failure('CEREMONY_UNSIGNED', `${path} has signatures by other keys`);
}

function checkBackups(at: Looking): string {
  const { plan, transcript } = at;
  const onFile = everyKey(at).filter(({ custodian }) => custodian.signer === 'file');
  const drilled = plan.backup === undefined ? [] : onFile;
  for (const { custodian, root } of drilled) {
    const made = keyMade(transcript.entries, custodian, root);
    const facts = factsOf(transcript.entries, `drill:${custodian.initials}:${root}`);
    const restored = jsonList(jsonMember(facts, 'restored'), 2).map(jsonText);
    if (restored.join() !== made.keys.map(({ keyId }) => keyId).join()) {
      throw failure('CEREMONY_KEY_OTHER', `the drill of ${custodian.name} restored another ${root} root key`);
    }
  }
  return plan.backup === undefined ? 'the plan has none' : `${drilled.length} keys restored from shares`;
}

async function checkRoles({ io, plan, folder, transcript }: Looking): Promise<string> {
  for (const role of plan.roles) {
    const facts = factsOf(transcript.entries, `role:${role.role}`);
    const listed = jsonList(jsonMember(facts, 'keys'), 32);
    const keys = await broughtKeys(io.files, folder, role);
    const threshold = jsonInteger(jsonMember(facts, 'threshold'), { min: 1 });
    for (const [i, { text, identity }] of keys.entries()) {
      const noted = jsonText(jsonMember(listed[i] ?? facts, 'publicSha256'));
      const wanted = role.keys[i]?.keyId;
      if (noted !== toHex(sha256(io.engine, utf8(text))) || !identity.keys.some(({ keyId }) => keyId === wanted)) {
        throw failure('CEREMONY_KEY_OTHER', `key ${i + 1} of ${role.role} is not the one that was taken in`);
      }
    }
    if (threshold !== role.threshold) throw failure('TRANSCRIPT_BROKEN', `${role.role} has another threshold`);
  }
  return plan.roles.map(({ role }) => role).join(', ') || 'the plan has none';
}

async function checkRoots({ io, plan, folder, transcript }: Looking): Promise<string> {
  const record = { plan, folder, entries: transcript.entries };
  for (const root of rootsOf(plan)) {
    const facts = factsOf(transcript.entries, `root:${root}`);
    const path = ceremonyPaths(folder).root(root);
    const file = await io.files.read(path, 1024 * 1024);
    const payload = await rootPayload(io.files, record, root);
    requireRoot(io, { file, payload, root });
    if (jsonText(jsonMember(facts, 'fileSha256')) !== toHex(sha256(io.engine, file))) {
      throw failure('CEREMONY_ROOT_OTHER', `${path} is not the file that was signed in the ceremony`);
    }
  }
  const { repository } = openFacts(transcript.entries);
  return rootsOf(plan).length === 0 ? 'the plan makes none' : `${rootsOf(plan).join(' and ')} of ${repository}`;
}

async function checkSignatures(at: Looking): Promise<string> {
  const lists = await Promise.all(everyKey(at).map((held) => publicKeys(at, held)));
  const path = ceremonyPaths(at.folder).signatures;
  await requireSignatures(at, { path, keys: lists.flat(), ...transcriptToSign(at.transcript.head) });
  return `${lists.flat().length} signatures`;
}

async function checkReport({ io, plan, folder, transcript }: Looking, report: CeremonyReport): Promise<string> {
  const path = ceremonyPaths(folder).report;
  const expected = utf8(report(plan, transcript));
  const there = await io.files.read(path, 4 * expected.length + 1024);
  if (!equalBytes(there, expected)) throw failure('TRANSCRIPT_BROKEN', `${path} does not say what the transcript says`);
  return 'the same';
}
