/** Whether this machine is fit: runtime, engines, known answers, entropy, clock, interfaces, libraries. */
import { formatInstant, parseInstant } from '../../core/brands.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import { ENGINES, NATIVE } from '../../crypto/engine.ts';
import { sqliteVersion } from '../../store/sqlite-version.ts';
import { checkKnownAnswers } from './known-answers.ts';

/** What is expected of the machine. */
export interface DoctorInput {
  /** No network interface may be up: a machine for offline keys. */
  readonly offline: boolean;
}

/** This program was not there before; a clock that says so is wrong. */
const CLOCK_MIN = parseInstant('2026-11-01T00:00:00Z');
const CLOCK_MAX = parseInstant('2100-01-01T00:00:00Z');
const SAMPLE_BYTES = 16_384;
/** Of 255 degrees of freedom; a good source is outside once in about 10^9 samples. */
const CHI_SQUARE_MIN = 140;
const CHI_SQUARE_MAX = 410;
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';

/** Runs every check of the machine; none throws. */
export async function doctor({ offline }: DoctorInput, io: Io): Promise<readonly Check[]> {
  return [
    await check('runtime', 'the runtime', () => runtimeDetail(io)),
    await check('engines', 'the engines of the primitives', () => engineDetail(io)),
    await check(
      'known-answers',
      'known answers of every algorithm',
      () => `${checkKnownAnswers().length} algorithms, ${ENGINES.join(' and ')}`,
    ),
    await check('entropy', 'the random source', () => entropyDetail(io)),
    await check('clock', 'the clock', () => clockDetail(io)),
    await check('interfaces', 'the network interfaces', () => interfacesDetail(io, offline)),
    await check('sqlite', 'the database', () => `SQLite ${sqliteVersion()}`),
    await check('zstd', 'the compressor', () => `zstd ${io.zstd.libraryVersion}`),
  ];
}

async function check(id: string, title: string, look: () => string | Promise<string>): Promise<Check> {
  try {
    return { id, title, status: 'pass', detail: await look() };
  } catch (thrown) {
    if (isFailure(thrown)) return { id, title, status: 'fail', detail: thrown.message, code: thrown.code };
    // A native library that cannot be loaded throws errors of its own.
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return { id, title, status: 'fail', detail, code: 'MACHINE_UNFIT' };
  }
}

function runtimeDetail({ environment }: Io): string {
  const { node, openssl, platform } = environment.runtime;
  return `Node ${node}, OpenSSL ${openssl}, ${platform}`;
}

function engineDetail({ engine }: Io): string {
  const missing = [...(NATIVE.mlDsa ? [] : ['ML-DSA']), ...(NATIVE.mlKem ? [] : ['ML-KEM'])];
  return missing.length === 0 ? engine : `${engine}; without ${missing.join(' and ')} of the runtime, noble does those`;
}

/** Tells a source that is stuck or badly skewed, nothing finer. */
function entropyDetail({ random }: Io): string {
  const [sample, other] = [random.bytes(SAMPLE_BYTES), random.bytes(SAMPLE_BYTES)];
  if (equalBytes(sample, other)) throw failure('MACHINE_UNFIT', 'the random source gave the same bytes twice');
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of sample) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = SAMPLE_BYTES / 256;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  if (chiSquare < CHI_SQUARE_MIN || chiSquare > CHI_SQUARE_MAX) {
    throw failure('MACHINE_UNFIT', 'the bytes of the random source are not evenly distributed');
  }
  return `${SAMPLE_BYTES} bytes look random`;
}

async function clockDetail({ clock, files }: Io): Promise<string> {
  const now = clock.now();
  if (now < CLOCK_MIN || now > CLOCK_MAX)
    throw failure('MACHINE_UNFIT', `the clock is wrong: it says ${formatInstant(now)}`);
  const synchronized = (await files.status(SYNCHRONIZED)) !== undefined;
  return `${formatInstant(now)}, ${synchronized ? 'synchronized' : 'not known to be synchronized: compare it yourself'}`;
}

function interfacesDetail({ environment }: Io, offline: boolean): string {
  const up = environment.networkInterfaces();
  if (offline && up.length > 0) throw failure('MACHINE_UNFIT', `not offline: ${up.join(', ')}`);
  return up.length === 0 ? 'none but loopback: offline' : `online: ${up.join(', ')}`;
}
