/** The first three steps: the people, the machine, the time. */
import { formatInstant } from '../../../core/brands.ts';
import { fromUtf8, toHex } from '../../../core/bytes.ts';
import { SecureevError, failure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { Check } from '../../../core/report.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { doctor } from '../../report/doctor.ts';
import { programDigest } from '../../report/program-digest.ts';
import { askInitials, askUntil, officers } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { requireMedium } from './folder.ts';

const SWAPS = '/proc/swaps';
const SWAPS_BYTES_MAX = 64 * 1024;
/** What of the machine's checks matters here. */
const CHECKS = ['runtime', 'engines', 'known-answers', 'entropy', 'clock', 'interfaces'];
/** What a rehearsal may do without. */
const WAIVED_IN_REHEARSAL = ['interfaces', 'swap'];
const CLOCK_TOLERANCE_SECONDS = 60;
const DAY_SECONDS = 86_400;

/** Everyone is there, and every medium. @throws CEREMONY_MEDIUM_MISSING, CEREMONY_MEDIUM_SHARED */
export async function open({ io, asker, plan, planBytes, rehearsal }: Ceremony): Promise<StepAnswer> {
  const seen = new Map<string, string>();
  for (const custodian of plan.custodians) {
    await requireMedium(io.files, custodian);
    const place = await io.files.realPath(custodian.medium);
    const other = seen.get(place);
    if (other !== undefined) {
      throw failure('CEREMONY_MEDIUM_SHARED', `${custodian.name} and ${other} have the same medium: ${place}`);
    }
    seen.set(place, custodian.name);
  }
  const planSha256 = toHex(sha256(io.engine, planBytes));
  await asker.tell([{ kind: 'fact', label: 'SHA-256 of the plan', text: planSha256 }]);
  const initials = await askInitials(asker, [plan.administrator, ...plan.custodians, ...plan.witnesses]);
  const started = formatInstant(io.clock.now());
  return { initials, facts: { planSha256, rehearsal, started, repository: randomUuid(io) } };
}

function randomUuid({ random }: Io): string {
  const bytes = random.bytes(16);
  bytes.set([((bytes[6] ?? 0) & 0x0f) | 0x40], 6);
  bytes.set([((bytes[8] ?? 0) & 0x3f) | 0x80], 8);
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The machine checks itself. @throws MACHINE_UNFIT naming what is wrong */
export async function selfCheck({ io, asker, plan, rehearsal }: Ceremony): Promise<StepAnswer> {
  const all = [...(await doctor({ offline: true }, io)).filter(({ id }) => CHECKS.includes(id)), await swapCheck(io)];
  const checks = all.map((check) => (rehearsal ? waived(check) : check));
  const digest = await programDigest(io);
  await asker.tell([
    ...checks.map(({ title, status, detail }) => ({
      kind: 'fact' as const,
      label: title,
      text: `${status}: ${detail}`,
    })),
    { kind: 'fact', label: 'digest of this program', text: digest },
  ]);
  const failed = checks.filter(({ status }) => status === 'fail');
  if (failed.length > 0) {
    throw new SecureevError('MACHINE_UNFIT', {
      message: failed.map(({ title, detail }) => `${title}: ${detail}`).join('; '),
      hint: 'use a machine that is fit, or try things out with --rehearsal',
    });
  }
  const initials = await askInitials(asker, officers(plan));
  const shown = checks.map(({ id, status, detail }) => jsonMap({ id, status, detail: oneLine(detail) }));
  return { initials, facts: { checks: shown, programSha256: digest } };
}

/** A rehearsal says what is missing, and goes on. */
function waived(check: Check): Check {
  if (check.status !== 'fail' || !WAIVED_IN_REHEARSAL.includes(check.id)) return check;
  return { id: check.id, title: check.title, status: 'skip', detail: `${check.detail} (waived in a rehearsal)` };
}

/** Memory that is swapped out is written to the disk, secrets and all. */
async function swapCheck({ files }: Io): Promise<Check> {
  const base = { id: 'swap', title: 'swap' } as const;
  if ((await files.status(SWAPS)) === undefined)
    return { ...base, status: 'skip', detail: `no ${SWAPS} here: look yourself` };
  const text = fromUtf8(await files.read(SWAPS, SWAPS_BYTES_MAX), SWAPS);
  const lines = text.trim().split('\n').slice(1);
  const devices = lines.map((line) => line.split(/\s/)[0] ?? '');
  if (devices.length === 0) return { ...base, status: 'pass', detail: 'off' };
  return { ...base, status: 'fail', detail: `on: ${devices.join(', ')}`, code: 'MACHINE_UNFIT' };
}

function oneLine(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500);
}

/** Someone compares the clock. @throws CEREMONY_ANSWER_WRONG where it is off */
export async function confirmClock({ io, asker, plan }: Ceremony): Promise<StepAnswer> {
  const prompt = 'the time in UTC on a clock that everyone trusts, HH:MM';
  const typed = await askUntil(asker, {
    ask: () => asker.ask({ kind: 'clock', secret: false, prompt, now: io.clock.now() }),
    accept: (answer) => isNear(answer, io.clock.now()),
    wrong: 'the machine has another time, or this is not HH:MM: set its clock',
  });
  const machine = formatInstant(io.clock.now());
  return { initials: await askInitials(asker, officers(plan)), facts: { machine, typed: typed.trim() } };
}

/** Within the typed minute, give or take one. */
function isNear(text: string, now: number): boolean {
  const match = /^\s*([01]\d|2[0-3]):([0-5]\d)\s*$/.exec(text);
  if (match === null) return false;
  const typed = Number(match[1]) * 3600 + Number(match[2]) * 60;
  const apart = ((((now % DAY_SECONDS) - typed) % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS;
  return apart < 60 + CLOCK_TOLERANCE_SECONDS || apart > DAY_SECONDS - CLOCK_TOLERANCE_SECONDS;
}
