/** Exit statuses, and the kinds of failure that stand for them. */

/** Exit statuses, as scripts see them. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  malformed: 4,
  environment: 5,
  policy: 6,
  interrupted: 130,
} as const;

/** What kind of failure a code is; decides the exit status. */
export type ExitKind = keyof typeof EXIT;
