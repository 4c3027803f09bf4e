/**
 * `unpack`: the images of a bundle as files.
 *
 * Invariants: no file appears before everything that was asked to be verified has been, and no folder stays after a failure;
 * with `unverified` only the bundle's own hashes stand behind them, and the answer says so.
 */
import { atPath } from '../../core/at-path.ts';
import type { TargetName } from '../../core/brands.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import type { BundleImage } from '../../formats/otap/bundle.ts';
import { openBundle } from '../../formats/otap/index.ts';
import type { PayloadsContext } from '../../formats/otap/index.ts';
import type { ImageSink } from '../../formats/otap/payload.ts';
import type { PinnedTrust } from './pinned-trust.ts';
import { verifyBundle } from './verify-bundle.ts';
import type { BundleVerdict } from './verify-bundle.ts';

/** What to unpack, where, and whom to trust. */
export interface UnpackInput {
  readonly file: string;
  readonly out: string;
  /** Undefined to trust nobody: a choice that has to be made by name. */
  readonly trust: PinnedTrust | undefined;
  readonly allowSkip: readonly string[];
}

/** An image that was written. */
export interface UnpackedImage {
  readonly path: string;
  readonly target: TargetName;
  readonly ecus: readonly string[];
  readonly sizeBytes: number;
}

/** What was unpacked. */
export interface UnpackAnswer {
  readonly verified: boolean;
  readonly images: readonly UnpackedImage[];
  /** With verification: its checks. */
  readonly verdict: BundleVerdict | undefined;
}

/**
 * Without a metadata folder the signatures of the pinned root's Targets keys are what stands behind the images; these
 * checks are then not asked for.
 */
const NEED_METADATA = ['metadata', 'expiry', 'bundle-target', 'image-targets', 'hardware'] as const;

/** A bundle does not say whether its release is confidential. */
const OUTPUT_MODE = 0o600;

/** Unpacks a bundle. @throws the first failed check's code, FILE_EXISTS, DISK_FULL, and those of the formats */
export async function unpackBundle(input: UnpackInput, io: Io): Promise<UnpackAnswer> {
  const outputs: Outputs = new Map();
  try {
    const verdict = await extract(input, io, outputs);
    await commitAll(io, [...outputs.values()]);
    const images = [...outputs].map(([image, { path }]) => unpacked(image, path));
    return { verified: verdict !== undefined && isVouchedFor(verdict), images, verdict };
  } finally {
    for (const output of outputs.values()) await output[Symbol.asyncDispose]();
  }
}

/** Of an unsigned bundle nothing is verified unless signed Targets lists it, whatever was waived. */
function isVouchedFor({ head, checks }: BundleVerdict): boolean {
  return head?.isSignable === true || checks.some(({ id, status }) => id === 'bundle-target' && status === 'pass');
}

type Outputs = Map<BundleImage, OutputFile>;

async function extract(input: UnpackInput, io: Io, outputs: Outputs): Promise<BundleVerdict | undefined> {
  const { file, trust } = input;
  // A target name is safe as a path: its segments are neither empty nor dots.
  const sinkOf = async (image: BundleImage): Promise<ImageSink> => {
    const path = `${input.out}/${image.target}`;
    const output = await io.files.create(path, { mode: OUTPUT_MODE });
    outputs.set(image, output);
    return (bytes) => output.write(bytes);
  };
  if (trust === undefined) {
    await extractUnverified(file, io, sinkOf);
    return undefined;
  }
  const allowSkip = [...input.allowSkip, ...(trust.metadata === undefined ? NEED_METADATA : [])];
  const verdict = await verifyBundle({ ...trust, file, installed: undefined, allowSkip, sinkOf }, io);
  if (verdict.refusal !== undefined) throw verdict.refusal;
  return verdict;
}

/** The one way around verification; its hashes are still compared, which tells damage, not forgery. */
async function extractUnverified(path: string, io: Io, sinkOf: PayloadsContext['sinkOf']): Promise<void> {
  const { engine, zstd } = io;
  await using file = await io.files.open(path);
  const bundle = await atPath(path, () => openBundle(file.stream({ reuse: true }), engine, { file, zstd }));
  await bundle.readPayloads(bundle.head.manifest.unverified.images, { engine, zstd, sinkOf });
  await bundle.finish();
}

async function commitAll(io: Io, outputs: readonly OutputFile[]): Promise<void> {
  const appeared: string[] = [];
  try {
    for (const output of outputs) {
      await output.commit();
      appeared.push(output.path);
    }
  } catch (thrown) {
    for (const path of appeared) await io.files.remove(path);
    throw thrown;
  }
}

function unpacked({ target, ecus, sizeBytes }: BundleImage, path: string): UnpackedImage {
  return { path, target, ecus: ecus.map(({ id }) => id), sizeBytes };
}
