/** `secureev package`: from a release plan to one signed bundle per zonal gateway. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { toHex } from '../core/bytes.ts';
import { packageRelease } from '../ops/release/package.ts';
import type { PackageAnswer } from '../ops/release/package.ts';
import { packagedText } from '../render/packaged.ts';
import type { ShownBundle } from '../render/packaged.ts';
import { warningLines } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  integer,
  keyFlags,
  passphraseChoice,
  repositoryChoice,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('build one OTAP bundle per zonal gateway; images and bundles become staged targets')
    .argument('[release.yaml]', 'the release plan; with --reissue only where the repository does not keep the images')
    .option('--reissue <release>', 'build this known release again, with higher release counters')
    .option('--out <folder>', 'where the bundles go', '.')
    .addOption(new Option('--codec <codec>', 'how images are stored').choices(['zstd', 'raw']).default('zstd'))
    .option('--level <n>', 'zstd level, 1 to 19', '3')
    .option('--chunk-size <bytes>', 'size of the verified chunks, 2048 to 1048576', '65536');
  command.addOption(
    new Option(
      '--otap-version <n>',
      'format of the bundles: 2, or 1 for servers that read no other, which nobody can sign',
    )
      .choices(['1', '2'])
      .default('2'),
  );
  command.option('--incomplete', 'bundles may lack signatures: ask for the rest with `secureev request create bundle`');
  example(
    dryRunFlag(keyFlags(command)),
    'secureev package release.yaml --key keys/targets.key --out bundles',
    'secureev package release.yaml --reissue 2026.4 --key keys/targets.key --out again',
    'SOURCE_DATE_EPOCH=1795219200 secureev package release.yaml --key keys/targets.key   # same inputs, same bytes',
  );
}

/** Packages the release. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const reissue = text(call, 'reissue');
  const answer = await packageRelease(
    {
      repository: repositoryChoice(call),
      plan: reissue === undefined ? argument(call, 0, 'RELEASE.yaml') : call.args[0],
      reissue,
      out: (text(call, 'out') ?? '.').replace(/(?<=.)\/+$/, ''),
      signers: texts(call, 'key'),
      passphrases: passphraseChoice(call),
      codec: text(call, 'codec') === 'raw' ? 'raw' : 'zstd',
      level: integer(call, 'level', { min: 1, max: 19 }) ?? 3,
      chunkBytes: integer(call, 'chunkSize', { min: 2048, max: 1024 * 1024 }) ?? 65_536,
      otapVersion: text(call, 'otapVersion') === '1' ? 1 : 2,
      incomplete: flag(call, 'incomplete'),
      dryRun,
    },
    call.io,
  );
  const { plan } = answer.resolved;
  const shown = {
    release: plan.release,
    model: plan.model,
    confidential: plan.confidential,
    role: answer.role,
    bundles: bundlesOf(answer),
    outdates: answer.outdates,
    incomplete: flag(call, 'incomplete'),
  };
  const { warnings } = answer;
  const lines = [packagedText(shown, dryRun), ...warningLines(warnings)];
  return { result: { ...shown, images: imagesOf(answer), warnings, dryRun }, text: lines.join('\n') };
}

function bundlesOf({ bundles }: PackageAnswer): readonly (ShownBundle & { target: string })[] {
  return bundles.map(({ path, gateway, target, sizeBytes, sha256, manifest }) => ({
    path,
    gateway,
    target,
    sizeBytes,
    sha256: toHex(sha256),
    ecus: manifest.images.flatMap((image) => image.ecus.map((ecu) => ecu.id)),
  }));
}

function imagesOf({ bundles }: PackageAnswer): readonly Readonly<Record<string, unknown>>[] {
  const images = new Map(bundles.flatMap(({ manifest }) => manifest.images.map((image) => [image.target, image])));
  return [...images.values()].map(({ target, version, releaseCounter, sizeBytes, storedBytes, codec, sha256 }) => {
    return { target, version, releaseCounter, sizeBytes, storedBytes, codec, sha256: toHex(sha256) };
  });
}
