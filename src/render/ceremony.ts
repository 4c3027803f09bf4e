/** Ceremonies in words. */
import type { CeremonyPlan } from '../formats/ceremony-plan.ts';
import { count } from './text.ts';

/** How a run of a ceremony ended. */
export function ceremonyAnswerText(answer: {
  readonly state: 'finished' | 'aborted' | 'stopped';
  readonly folder: string;
  readonly done: number;
  readonly total: number;
  readonly rehearsal: boolean;
  readonly head: string;
}): string {
  const { state, folder, done, total, rehearsal } = answer;
  const what = rehearsal ? 'the rehearsal' : 'the ceremony';
  if (state === 'aborted') return `${what} was given up after ${done} of ${total} steps; its transcript says so`;
  return [
    `${what} is over: ${count(done, 'step')} done`,
    `transcript: ${folder}/transcript.jsonl, last line ${answer.head}`,
    `to print:   ${folder}/report.md`,
    `next:       secureev ceremony verify ${folder}${rehearsal ? ' --rehearsal' : ''}`,
  ].join('\n');
}

/** The script of a ceremony, to be read aloud. */
export function ceremonyScriptText(script: {
  readonly plan: CeremonyPlan;
  readonly steps: readonly { readonly title: string; readonly instruction: string }[];
  readonly roots: readonly string[];
}): string {
  const { plan, steps, roots } = script;
  const missing = ['image', 'director'].filter((root) => !roots.includes(root));
  const warnings = missing.map((root) => {
    const prefix = root === 'image' ? '' : 'director/';
    const roles = ['targets', 'snapshot', 'timestamp'].map((role) => prefix + role).join(', ');
    return `warning: no ${root} root is signed: the plan does not bring the keys of ${roles}`;
  });
  return [
    `${plan.title}: ${plan.place}, ${plan.date}`,
    `${plan.threshold} of ${count(plan.custodians.length, 'custodian')} sign a root of ${plan.repository} (${plan.scheme})`,
    ...warnings,
    '',
    ...steps.flatMap(({ title, instruction }, i) => [`${i + 1}. ${title}`, `   ${instruction}`]),
  ].join('\n');
}
