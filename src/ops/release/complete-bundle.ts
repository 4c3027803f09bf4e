/**
 * Completes a bundle with the signatures of offline signers: the same header, manifest and payloads with a new signatures
 * section, under the same name.
 *
 * Invariants: each signature is verified under the key that the root lists; the file changes and the target is staged
 * together, once every threshold is met; before that only the file gains signatures.
 */
import { parseKeyId, parseName } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { InputFile, Io, OutputFile } from '../../core/ports.ts';
import { sha256, startSha256 } from '../../crypto/hash.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { CoseSignature } from '../../formats/cose/cose-sign.ts';
import type { AnsweredSignature } from '../../formats/requests/answer.ts';
import { PREFIX_BYTES, decodeHeaderRest, decodePrefix, LENGTHS_BYTES } from '../../formats/otap/header.ts';
import { openBundle } from '../../formats/otap/index.ts';
import { decodeSignedParts, toBeSignedV2 } from '../../formats/otap/v2.ts';
import { encodeHead } from '../../formats/otap/writer.ts';
import { isComplete, thresholdStates } from '../../plan/quorum.ts';
import type { ThresholdState } from '../../plan/quorum.ts';
import { addObject } from '../../store/objects.ts';
import { removePendingBundle } from '../../store/pending-bundles.ts';
import type { PendingBundle } from '../../store/pending-bundles.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { findRelease } from '../../store/releases.ts';
import { owningRoles } from '../../store/delegations.ts';
import { named } from '../repository/advance-role.ts';
import { authoritiesFor, membersFor } from '../repository/definitions.ts';
import type { RoleNamed } from '../repository/definitions.ts';
import { revokedSigners } from '../repository/revoked-keys.ts';
import { pendingOf } from './bundle-request.ts';
import { recordBundle } from './record-release.ts';

/** What came of one bundle. */
export interface CompletedBundle {
  readonly target: string;
  readonly path: string;
  readonly complete: boolean;
  readonly added: number;
  /** Revoked keys among those that signed. */
  readonly warnings: readonly string[];
  /** Thresholds that are not met yet. */
  readonly missing: readonly Pick<ThresholdState, 'section' | 'needed' | 'signed' | 'missing'>[];
}

/** A bundle file and the signatures that came for it. */
export interface CompletionInput {
  readonly path: string;
  readonly target: string;
  readonly signatures: readonly AnsweredSignature[];
  readonly dryRun: boolean;
}

/** Adds the signatures; stages the bundle where that completes it. @throws KEY_NOT_OF_ROLE, SIGNATURE_INVALID, REQUEST_FOREIGN */
export async function completeBundle(tx: Tx, input: CompletionInput): Promise<CompletedBundle> {
  const pending = await pendingOf(tx, input.path);
  if (pending.target !== input.target)
    throw failure('REQUEST_FOREIGN', `${input.path} is another bundle than was signed`);
  await using file = await tx.io.files.open(input.path);
  const before = await signaturesIn(file, pending, tx.io);
  const added = input.signatures.map((one) => verified(tx, pending, one));
  const all = [...new Map([...before, ...added].map((one) => [one.keyId, one] as const)).values()];
  const mode = (await tx.io.files.status(input.path))?.mode;
  await using output = await tx.io.files.create(input.path, { overwrite: true, ...(mode !== undefined && { mode }) });
  const written = await rewrite(tx.io, { file, output, pending, signatures: all });
  const states = quorum(tx, pending, all);
  const complete = isComplete(states);
  if (!input.dryRun) await output.commit();
  if (complete && !input.dryRun) await stage(tx, pending, { ...written, path: input.path });
  tx.about(`release:${pending.release}`);
  const open = states.filter((state) => state.signed.length < state.needed);
  const members = bundleRoles(tx, pending).flatMap((role) => membersFor(tx, role));
  const warnings = revokedSigners(tx, pending.target, named(members, added));
  return { target: pending.target, path: input.path, complete, added: added.length, warnings, missing: open };
}

/** What was signed so far, once every payload is what the manifest says: its hash is about to be staged. @throws OTAP_* */
async function signaturesIn(file: InputFile, pending: PendingBundle, io: Io): Promise<readonly CoseSignature[]> {
  const { engine, zstd } = io;
  const bundle = await openBundle(file.stream({ reuse: true }), engine);
  await bundle.readPayloads(decodeSignedParts(pending.parts).decoded.unverified.images, { engine, zstd });
  await bundle.finish();
  return bundle.head.signatures;
}

/** @throws KEY_NOT_OF_ROLE, SIGNATURE_INVALID */
function verified(tx: Tx, pending: PendingBundle, answered: AnsweredSignature): CoseSignature {
  const members = bundleRoles(tx, pending).flatMap((role) => membersFor(tx, role));
  const keys = members.flatMap((one) => [one.classical, ...(one.postQuantum ? [one.postQuantum] : [])]);
  const key = keys.find((known) => known.keyId === answered.keyId);
  if (key === undefined) throw failure('KEY_NOT_OF_ROLE', `a signature is of key ${answered.keyId}, which no role has`);
  const algorithm = signatureAlgorithm(key.algorithm);
  const signature = { algorithm: algorithm.id, keyId: parseKeyId(key.keyId), signature: answered.signature };
  const message = toBeSignedV2(decodeSignedParts(pending.parts), signature);
  algorithm.verify({ engine: tx.io.engine, publicKey: key.bytes, message, signature: answered.signature });
  return signature;
}

/** The roles that will list the bundle. */
function bundleRoles(reader: Reader, { target, gateway }: PendingBundle): readonly RoleNamed[] {
  const names = owningRoles(reader, { name: target, hardwareIds: [gateway] });
  return names.map((name) => ({ repository: 'image', name }));
}

function quorum(
  reader: Reader,
  pending: PendingBundle,
  signatures: readonly CoseSignature[],
): readonly ThresholdState[] {
  const authorities = bundleRoles(reader, pending).flatMap((role) => authoritiesFor(reader, role, 'next'));
  const by = signatures.map(({ algorithm, keyId }) => ({ section: signatureAlgorithm(algorithm).family, keyId }));
  return thresholdStates(authorities, by);
}

interface Rewriting {
  readonly file: InputFile;
  readonly output: OutputFile;
  readonly pending: PendingBundle;
  readonly signatures: readonly CoseSignature[];
}

async function rewrite(
  io: Io,
  { file, output, pending, signatures }: Rewriting,
): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
  const hash = startSha256(io.engine);
  let sizeBytes = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    sizeBytes += bytes.length;
    await output.write(bytes);
  };
  for (const piece of encodeHead(decodeSignedParts(pending.parts), signatures)) await put(piece);
  for await (const block of file.stream({ from: await payloadsAt(file) })) await put(block);
  return { sizeBytes, sha256: hash.digest() };
}

/** Where the payloads begin in a bundle file. */
async function payloadsAt(file: InputFile): Promise<number> {
  const prefix = decodePrefix(await file.read(0, PREFIX_BYTES));
  const restBytes = prefix.gatewayBytes + LENGTHS_BYTES;
  const header = decodeHeaderRest(prefix, await file.read(PREFIX_BYTES, restBytes));
  return PREFIX_BYTES + restBytes + header.manifestBytes + header.signaturesBytes;
}

async function stage(
  tx: Tx,
  pending: PendingBundle,
  written: { sizeBytes: number; sha256: Uint8Array; path: string },
): Promise<void> {
  const release = findRelease(tx, pending.release);
  if (release === undefined) throw failure('INTERNAL', `release ${pending.release} of a waiting bundle is not known`);
  const { manifest } = decodeSignedParts(pending.parts);
  const plan = { release: parseName(release.name), confidential: release.confidential };
  recordBundle(tx, plan, {
    ...pending,
    ...written,
    manifest: { releaseCounter: pending.releaseCounter },
    manifestSha256: sha256(tx.io.engine, manifest),
  });
  removePendingBundle(tx, pending.target);
  if (!release.confidential) await addObject(tx, written.path, written.sha256);
}
