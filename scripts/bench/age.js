import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './run.js';

/** The recipient of `age.key` in the bench folder, made when it is not there. */
export function ageRecipient({ folder }) {
  const path = join(folder, 'age.key');
  if (!existsSync(path)) must(['age-keygen', '-o', path]);
  const [, recipient] = /^# public key: (age1[a-z0-9]+)$/m.exec(readFileSync(path, 'utf8')) ?? [];
  return recipient;
}
