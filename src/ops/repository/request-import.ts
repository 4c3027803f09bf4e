/**
 * Takes in the signatures of offline signers.
 *
 * Each answer names its request by digest; its signatures go through the same door as those of signers at hand, so they
 * are verified against the keys that the root lists before they are stored.
 */
import { atPath } from '../../core/at-path.ts';
import { toHex } from '../../core/bytes.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { ANSWER_BYTES_MAX, decodeAnswer } from '../../formats/requests/answer.ts';
import type { AnsweredSignature, SigningAnswer } from '../../formats/requests/answer.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import type { SignerKey } from '../../signers/signer.ts';
import { findRequest } from '../../store/requests.ts';
import type { KnownRequest } from '../../store/requests.ts';
import { findBundleRequest } from '../../store/pending-bundles.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { pendingOf } from '../release/bundle-request.ts';
import { completeBundle } from '../release/complete-bundle.ts';
import type { CompletedBundle } from '../release/complete-bundle.ts';
import { advanceRole } from './advance-role.ts';
import type { RoleOutcome } from './advance-role.ts';
import { membersFor } from './definitions.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { revokedSignersOf } from './revoked-keys.ts';
import { roleText } from './role-address.ts';

/** Which answers to take in. */
export interface RequestImportInput {
  readonly repository: RepositoryChoice;
  readonly files: readonly string[];
  /** Bundle files that answers are for. */
  readonly bundles: readonly string[];
  readonly dryRun?: boolean | undefined;
}

/** What came of roles and bundles. */
export interface RequestImportAnswer {
  readonly roles: readonly RoleOutcome[];
  readonly bundles: readonly CompletedBundle[];
  /** Roles and bundles that revoked keys signed. */
  readonly warnings: readonly string[];
}

/**
 * Takes the answers in; all or none.
 *
 * @throws REQUEST_FOREIGN, REQUEST_STALE, REQUEST_BUNDLE_MISSING, SIGNATURE_INVALID, KEY_NOT_OF_ROLE
 */
export async function importAnswers(input: RequestImportInput, io: Io): Promise<RequestImportAnswer> {
  const answers: SigningAnswer[] = [];
  for (const path of input.files) {
    const bytes = await io.files.read(path, ANSWER_BYTES_MAX);
    answers.push((await atPath(path, () => decodeAnswer(bytes))).unverified);
  }
  using repository = await openChosen(io, input.repository);
  const { dryRun } = input;
  return await repository.transactAsync({ command: 'request import', summary: '', dryRun }, async (tx) => {
    refuseIfHeld(tx);
    const forBundles = answers.filter((answer) => findBundleRequest(tx, answer.request) !== undefined);
    const forRoles = answers.filter((answer) => !forBundles.includes(answer));
    const roles: RoleOutcome[] = [];
    for (const { request, signatures } of signaturesByVersion(tx, forRoles)) {
      const keys = answeredKeys(tx, request, signatures);
      const signing = { identity: repository.identity, keys, purpose: 'sign', pretend: false } as const;
      roles.push(await advanceRole(tx, { repository: request.repository, name: request.role }, signing));
    }
    const bundles = await completeBundles(tx, { answers: forBundles, files: input.bundles, dryRun: dryRun === true });
    tx.summarize([...roles.map(roleSummary), ...bundles.map(bundleSummary)].join('; '));
    return { roles, bundles, warnings: [...revokedSignersOf(tx, roles), ...bundles.flatMap((one) => one.warnings)] };
  });
}

function roleSummary({ role, version, state, added }: RoleOutcome): string {
  return `${role} ${version ?? ''}: ${added.length} signatures, ${state}`;
}

function bundleSummary({ target, added, complete }: CompletedBundle): string {
  return `${target}: ${added} signatures, ${complete ? 'complete' : 'waiting'}`;
}

interface BundleAnswers {
  readonly answers: readonly SigningAnswer[];
  readonly files: readonly string[];
  readonly dryRun: boolean;
}

/** Completes each bundle that answers came for; its file must be named. */
async function completeBundles(tx: Tx, { answers, files, dryRun }: BundleAnswers): Promise<readonly CompletedBundle[]> {
  const byTarget = new Map<string, AnsweredSignature[]>();
  for (const answer of answers) {
    const target = findBundleRequest(tx, answer.request) ?? '';
    byTarget.set(target, [...(byTarget.get(target) ?? []), ...answer.signatures]);
  }
  const paths = new Map<string, string>();
  for (const path of files) paths.set((await pendingOf(tx, path)).target, path);
  const completed: CompletedBundle[] = [];
  for (const [target, signatures] of byTarget) {
    const path = paths.get(target);
    if (path === undefined) {
      throw new SecureevError('REQUEST_BUNDLE_MISSING', {
        message: `signatures came for ${target}, and its file was not named`,
        hint: 'name it with --bundle FILE',
      });
    }
    completed.push(await completeBundle(tx, { path, target, signatures, dryRun }));
  }
  return completed;
}

interface Answered {
  readonly request: KnownRequest;
  readonly signatures: readonly AnsweredSignature[];
}

/** Answers to one version count together, whichever of its requests they are to. */
function signaturesByVersion(reader: Reader, answers: readonly SigningAnswer[]): readonly Answered[] {
  const found = new Map<string, Answered>();
  for (const answer of answers) {
    const request = requireOpen(findRequest(reader, answer.request), answer);
    const name = `${request.repository}/${request.role}`;
    const signatures = [...(found.get(name)?.signatures ?? []), ...answer.signatures];
    found.set(name, { request, signatures });
  }
  return [...found.values()];
}

function requireOpen(request: KnownRequest | undefined, answer: SigningAnswer): KnownRequest {
  if (request === undefined) {
    throw failure(
      'REQUEST_FOREIGN',
      `these signatures are for a request of another repository: ${toHex(answer.request)}`,
    );
  }
  if (request.state !== 'frozen') {
    const name = roleText({ repository: request.repository, name: request.role });
    throw failure('REQUEST_STALE', `${name} ${request.version} does not wait for signatures: it is ${request.state}`);
  }
  return request;
}

/** Keys that give the signatures that came, and nothing else. @throws KEY_NOT_OF_ROLE */
function answeredKeys(
  reader: Reader,
  request: KnownRequest,
  signatures: readonly AnsweredSignature[],
): readonly SignerKey[] {
  const keys = memberKeys(reader, request);
  const byKey = new Map(signatures.map((one) => [one.keyId, one] as const));
  return [...byKey.values()].map(({ keyId, signature }) => {
    const publicKey = keys.find((key) => key.keyId === keyId);
    if (publicKey === undefined) {
      throw failure('KEY_NOT_OF_ROLE', `a signature is of key ${keyId}, which is not a key of ${request.role}`);
    }
    return { publicKey, sign: async () => signature };
  });
}

function memberKeys(reader: Reader, { repository, role: name }: KnownRequest): readonly PublicKey[] {
  return membersFor(reader, { repository, name }).flatMap(({ classical, postQuantum }) => [
    classical,
    ...(postQuantum ? [postQuantum] : []),
  ]);
}
