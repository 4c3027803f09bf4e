/** What every command answers with after `--dry-run`: nobody takes it for the real thing. */
import type { Outcome } from './command.ts';

const SAYS_SO = /\bdry run\b/;

/** The outcome of a dry run, marked as one in text and JSON. */
export function asDryRun(outcome: Outcome): Outcome {
  const { result, text } = outcome;
  const said = SAYS_SO.test(text) ? text : `dry run, nothing was changed:\n${text}`;
  return { ...outcome, result: { ...result, dryRun: true }, text: said };
}
