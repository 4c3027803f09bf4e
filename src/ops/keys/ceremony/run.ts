/**
 * Walks through a ceremony, step by step, from wherever its transcript says it stands.
 *
 * Invariants: a step is written as done only after its effects are durable; a failed step is written too, and taken again;
 * nothing follows an abort.
 */
import { toHex } from '../../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { decodeCeremonyPlan } from '../../../formats/ceremony-plan.ts';
import type { CeremonyPlan } from '../../../formats/ceremony-plan.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import type { Transcript, TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import { ceremonyState } from '../../../plan/ceremony/progress.ts';
import type { CeremonyState } from '../../../plan/ceremony/progress.ts';
import { ceremonySteps } from '../../../plan/ceremony/steps.ts';
import type { CeremonyStep } from '../../../plan/ceremony/steps.ts';
import type { CeremonyAsker } from './asker.ts';
import { backup, drill } from './backup.ts';
import { bringRole } from './brought.ts';
import { openFacts } from './ceremony.ts';
import type { Ceremony, CeremonyReport, StepAnswer } from './ceremony.ts';
import { close } from './close.ts';
import { confirm, possess } from './confirm.ts';
import { appendEntry, ceremonyPaths, readTranscript, sweep } from './folder.ts';
import { generate } from './generate.ts';
import { writeMedium } from './medium.ts';
import { confirmClock, open, selfCheck } from './opening.ts';
import { signRoot } from './root.ts';

/** Largest plan read, in bytes. */
export const PLAN_BYTES_MAX = 256 * 1024;

/** A ceremony to begin. */
export interface CeremonyRunInput {
  /** The plan, `ceremony.yaml`. */
  readonly planFile: string;
  /** The ceremony's folder, made where missing. */
  readonly folder: string;
  readonly rehearsal: boolean;
  readonly asker: CeremonyAsker;
  readonly report: CeremonyReport;
}

/** A ceremony to go on with. */
export type CeremonyResumeInput = Omit<CeremonyRunInput, 'planFile' | 'rehearsal'>;

/** How a run ended. */
export interface CeremonyAnswer {
  readonly state: 'finished' | 'aborted' | 'stopped';
  readonly folder: string;
  readonly done: number;
  readonly total: number;
  readonly rehearsal: boolean;
  /** The repository's UUID; null before the first step is done. */
  readonly repository: string | null;
  /** SHA-256 of the transcript's last line, hex. */
  readonly head: string;
}

/** Begins a ceremony and walks through it. @throws CEREMONY_PLAN_MALFORMED, CEREMONY_FOLDER, and what its steps throw */
export async function runCeremony(input: CeremonyRunInput, io: Io): Promise<CeremonyAnswer> {
  const planBytes = await io.files.read(input.planFile, PLAN_BYTES_MAX);
  const plan = decodeCeremonyPlan(planBytes, input.planFile);
  const transcript = await readTranscript(io.files, input.folder);
  if (transcript.entries.some(({ outcome }) => outcome !== 'failed')) {
    throw new SecureevError('CEREMONY_FOLDER', {
      message: `${input.folder} holds a ceremony already`,
      hint: `go on with \`secureev ceremony resume ${input.folder}\`, or name another folder`,
    });
  }
  await io.files.write(ceremonyPaths(input.folder).plan, planBytes, { overwrite: true });
  const { folder, rehearsal, asker, report } = input;
  return await walk({ io, asker, plan, planBytes, folder, rehearsal, transcript, report });
}

/** Goes on with a ceremony. @throws CEREMONY_FOLDER, CEREMONY_OVER, TRANSCRIPT_*, and what its steps throw */
export async function resumeCeremony(input: CeremonyResumeInput, io: Io): Promise<CeremonyAnswer> {
  const { plan, planBytes, transcript, rehearsal } = await loadCeremony(input.folder, io);
  const { folder, asker, report } = input;
  return await walk({ io, asker, plan, planBytes, folder, rehearsal, transcript, report });
}

/** Gives a ceremony up, for good. @throws CEREMONY_FOLDER, CEREMONY_OVER */
export async function abortCeremony(
  input: { readonly folder: string; readonly reason: string },
  io: Io,
): Promise<CeremonyAnswer> {
  const { plan, transcript, rehearsal } = await loadCeremony(input.folder, io);
  const { step } = requireNext(plan, transcript);
  const after = await appendEntry(io.files, input.folder, {
    from: transcript,
    entry: abortEntry(io, step, input.reason),
  });
  return answer({ plan, folder: input.folder, rehearsal, transcript: after }, 'aborted');
}

/** A ceremony's folder, read and checked as far as it goes. */
export interface LoadedCeremony {
  readonly plan: CeremonyPlan;
  readonly planBytes: Uint8Array;
  readonly transcript: Transcript;
  readonly rehearsal: boolean;
}

/** Reads a ceremony that was begun. @throws CEREMONY_FOLDER, TRANSCRIPT_*, CEREMONY_PLAN_MALFORMED */
export async function loadCeremony(folder: string, io: Io): Promise<LoadedCeremony> {
  const paths = ceremonyPaths(folder);
  const transcript = await readTranscript(io.files, folder);
  if (!transcript.entries.some(({ outcome }) => outcome === 'done')) {
    throw new SecureevError('CEREMONY_FOLDER', {
      message: `no ceremony was begun in ${folder}`,
      hint: `begin it with \`secureev ceremony run CEREMONY.yaml --out ${folder}\``,
    });
  }
  const planBytes = await io.files.read(paths.plan, PLAN_BYTES_MAX);
  const plan = decodeCeremonyPlan(planBytes, paths.plan);
  const { planSha256, rehearsal } = openFacts(transcript.entries);
  if (toHex(sha256(io.engine, planBytes)) !== planSha256) {
    throw failure('TRANSCRIPT_BROKEN', `${paths.plan} is not the plan that the transcript began with`);
  }
  return { plan, planBytes, transcript, rehearsal };
}

async function walk(begun: Ceremony): Promise<CeremonyAnswer> {
  const { io, plan, folder } = begun;
  await sweep(io.files, folder);
  requireNext(plan, begun.transcript);
  let transcript = begun.transcript;
  for (;;) {
    io.signal.throwIfAborted();
    const ceremony = { ...begun, transcript };
    const state = stateOf(plan, transcript);
    if (state.kind !== 'next') return answer(ceremony, 'finished');
    const { step, done, total } = state;
    await begun.asker.begin({ title: plan.title, step, number: done + 1, total, rehearsal: begun.rehearsal });
    const taken = await take(ceremony, step);
    transcript = taken.transcript;
    if (taken.end !== undefined) return answer({ ...begun, transcript }, taken.end);
  }
}

function stateOf(plan: CeremonyPlan, { entries }: Transcript): CeremonyState {
  return ceremonyState(ceremonySteps(plan), entries);
}

function requireNext(plan: CeremonyPlan, transcript: Transcript): Extract<CeremonyState, { kind: 'next' }> {
  const state = stateOf(plan, transcript);
  if (state.kind === 'next') return state;
  const how = state.kind === 'aborted' ? 'was given up' : 'is over';
  throw failure('CEREMONY_OVER', `this ceremony ${how}: nothing can be added to it`);
}

interface Taken {
  readonly transcript: Transcript;
  readonly end?: CeremonyAnswer['state'];
}

/** Takes one step; what fails in it is written down, but not that someone left. */
async function take(ceremony: Ceremony, step: CeremonyStep): Promise<Taken> {
  try {
    return { transcript: await record(ceremony, step) };
  } catch (thrown) {
    if (!isFailure(thrown) || isFailure(thrown, 'INTERRUPTED') || isFailure(thrown, 'CEREMONY_BUSY')) throw thrown;
    return await afterFailure(ceremony, step, thrown);
  }
}

async function record(ceremony: Ceremony, step: CeremonyStep): Promise<Transcript> {
  if (step.kind === 'close') return await close(ceremony);
  const { initials, facts } = await perform(ceremony, step);
  const { io, folder, transcript: from } = ceremony;
  const entry: TranscriptEntry = {
    time: io.clock.now(),
    step: step.id,
    outcome: 'done',
    initials,
    facts: jsonMap(facts),
  };
  return await appendEntry(io.files, folder, { from, entry });
}

async function perform(ceremony: Ceremony, step: CeremonyStep): Promise<StepAnswer> {
  switch (step.kind) {
    case 'open':
      return await open(ceremony);
    case 'self-check':
      return await selfCheck(ceremony);
    case 'clock':
      return await confirmClock(ceremony);
    case 'generate':
      return await generate(ceremony, step);
    case 'confirm':
      return await confirm(ceremony, step);
    case 'possess':
      return await possess(ceremony, step);
    case 'backup':
      return await backup(ceremony, step);
    case 'drill':
      return await drill(ceremony, step);
    case 'role':
      return await bringRole(ceremony, step);
    case 'root':
      return await signRoot(ceremony, step);
    case 'medium':
      return await writeMedium(ceremony, step);
    case 'close':
      throw failure('INTERNAL', 'the closing step writes its own entry');
  }
}

async function afterFailure(ceremony: Ceremony, step: CeremonyStep, error: SecureevError): Promise<Taken> {
  const { io, folder, asker, transcript: from } = ceremony;
  const facts = jsonMap({ code: error.code, message: oneLine(error.message) });
  const entry: TranscriptEntry = { time: io.clock.now(), step: step.id, outcome: 'failed', initials: [], facts };
  const transcript = await recorded(() => appendEntry(io.files, folder, { from, entry }), error);
  const wish = await asker.failed(error);
  if (wish === 'again') return { transcript };
  if (wish === 'stop') throw error;
  const aborted = { from: transcript, entry: abortEntry(io, step, error.message) };
  return { transcript: await appendEntry(io.files, folder, aborted), end: 'aborted' };
}

/** Where even the failure cannot be written down, it is the failure that matters. */
async function recorded<T>(write: () => Promise<T>, error: SecureevError): Promise<T> {
  try {
    return await write();
  } catch {
    throw error;
  }
}

function abortEntry(io: Io, step: CeremonyStep, reason: string): TranscriptEntry {
  const facts = jsonMap({ reason: oneLine(reason) });
  return { time: io.clock.now(), step: step.id, outcome: 'aborted', initials: [], facts };
}

function oneLine(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1000);
}

function answer(
  ceremony: Pick<Ceremony, 'plan' | 'folder' | 'rehearsal' | 'transcript'>,
  state: CeremonyAnswer['state'],
): CeremonyAnswer {
  const { plan, folder, rehearsal, transcript } = ceremony;
  const done = transcript.entries.filter(({ outcome }) => outcome === 'done').length;
  const repository = done === 0 ? null : openFacts(transcript.entries).repository;
  const head = toHex(transcript.head.hash);
  return { state, folder, done, total: ceremonySteps(plan).length, rehearsal, repository, head };
}
