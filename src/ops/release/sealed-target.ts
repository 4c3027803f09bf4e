/** The target that a sealed payload stands for, and the one that it becomes. */
import { parseTargetName, quote } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { InputFile, Io } from '../../core/ports.ts';
import { openBundle } from '../../formats/otap/index.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { tuf } from '../../formats/metadata/tuf.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { findBundle, findRelease } from '../../store/releases.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { findTarget, findTargetsBySha256, stageTarget } from '../../store/targets.ts';
import type { ListedTarget } from '../../store/targets.ts';
import { baseName } from './sealed-names.ts';
import type { HashedFile, SealedFile } from './sealed-payload.ts';

/** How a sealed target says what it is (Uptane 2.1.0: an encrypted image's method). */
const METHOD = 'secureev-sev-1';
const HEAD_BYTES = 64 * 1024;

/** The name of the target that the sealed payload of `clear` is. */
export function sealedTargetName(clear: TargetName): TargetName {
  return parseTargetName(`${clear}.sev`);
}

/**
 * The staged or complete target whose length and SHA-256 a file has; of several, the one called `wanted` or like the file.
 *
 * @throws SEALED_NOT_A_TARGET, SEALED_TARGET_AMBIGUOUS
 */
export function clearTargetOf(
  reader: Reader,
  file: { readonly path: string; readonly clear: HashedFile; readonly wanted: string | undefined },
): ListedTarget {
  const { path, clear, wanted } = file;
  const same = findTargetsBySha256(reader, clear.sha256).filter((target) => target.length === clear.sizeBytes);
  const named = same.filter((target) =>
    wanted === undefined ? baseName(target.name) === baseName(path) : target.name === wanted,
  );
  const [first, ...more] = wanted !== undefined || named.length > 0 ? named : same;
  if (first !== undefined && more.length === 0) return first;
  if (first === undefined) throw notATarget(path, clear, wanted);
  throw new SecureevError('SEALED_TARGET_AMBIGUOUS', {
    message: `${quote(path)} is more than one target`,
    hint: 'say which with --target NAME',
    details: { targets: [first, ...more].map((target) => target.name) },
  });
}

function notATarget(path: string, clear: HashedFile, wanted: string | undefined): SecureevError {
  return new SecureevError('SEALED_NOT_A_TARGET', {
    message: `${quote(path)} is not ${wanted === undefined ? 'a target of this repository' : `the target ${wanted}`}: no one could verify it`,
    hint: 'make it one with `secureev package` or `secureev target add`, and encrypt exactly the file that came out',
    details: { path, sizeBytes: clear.sizeBytes, sha256: toHex(clear.sha256) },
  });
}

/** The model a target's bundle is for; undefined where it is no bundle of ours. */
export function modelOf(reader: Reader, clear: TargetName): string | undefined {
  const bundle = findBundle(reader, clear);
  return bundle === undefined ? undefined : findRelease(reader, bundle.release)?.model;
}

/** Whether this very content is sealed already, under a target that is still listed. */
export function isSealedAlready(reader: Reader, clear: ListedTarget): boolean {
  const encrypted = findTarget(reader, sealedTargetName(clear.name))?.custom['encrypted'];
  return (
    typeof encrypted === 'object' && encrypted !== null && Reflect.get(encrypted, 'sha256') === toHex(clear.sha256)
  );
}

/** A target, and the roles that will list it. */
export interface StagedTarget {
  readonly name: TargetName;
  readonly roles: readonly string[];
}

/** Stages the sealed payload as a target, which says what it holds. */
export function stageSealedTarget(tx: Tx, clear: ListedTarget, file: SealedFile): StagedTarget {
  const name = sealedTargetName(clear.name);
  const encrypted = {
    method: METHOD,
    suite: file.header.suite.name,
    target: clear.name,
    length: clear.length,
    sha256: toHex(clear.sha256),
  };
  const roles = stageTarget(tx, {
    name,
    length: file.sealed.sizeBytes,
    sha256: file.sealed.sha256,
    custom: { ...clear.custom, encrypted },
    confidential: false,
  });
  tx.about(`target:${name}`, ...roles.map((role) => `role:${role}`));
  return { name, roles };
}

/** A suite, and the dialect whose classical algorithm stands where the suite says ECDSA P-256. */
export interface SuiteInDialect {
  readonly suite: Suite;
  readonly dialect: string;
}

/** Refuses a bundle without a signature of each of the suite's algorithms; other files pass. @throws SEALED_SIGNATURES_MISSING, OTAP_* */
export async function requireSuiteSignatures(
  io: Io,
  input: InputFile,
  { suite, dialect }: SuiteInDialect,
): Promise<void> {
  const magic = new TextDecoder('latin1').decode(await input.read(0, 4));
  if (magic !== 'OTAP') return;
  const { head } = await openBundle(blocksOf(input), io.engine);
  const present = new Set<string>(head.signatures.map((signature) => signature.algorithm));
  const { classical } = dialectOf(dialect).pair;
  const expected = suite.signatures.map((algorithm) => (algorithm === tuf.pair.classical ? classical : algorithm));
  const missing = expected.filter((algorithm) => !present.has(algorithm));
  if (missing.length === 0) return;
  throw new SecureevError('SEALED_SIGNATURES_MISSING', {
    message: `${quote(input.path)} has no signature of ${missing.join(' and ')}, which suite ${suite.name} demands`,
    hint: present.size === 0 ? unsignedHint(input.path) : 'sign the bundle with such a key, or choose another --suite',
    details: { expected, found: [...present] },
  });
}

/** What `package --incomplete` left to be signed elsewhere. */
function unsignedHint(path: string): string {
  const asks = `secureev request create bundle ${path} -o F.sigreq`;
  return `nobody has signed it yet: \`${asks}\`, and \`secureev request import F.sig --bundle ${path}\` for the answers`;
}

/** Without reading ahead: only the head is wanted. */
async function* blocksOf(input: InputFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.sizeBytes; at += HEAD_BYTES) yield await input.read(at, HEAD_BYTES);
}
