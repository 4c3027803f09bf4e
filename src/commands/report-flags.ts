/** The flags of commands whose answer is a list of checks, and the report that CI systems read. */
import type { Command } from 'commander';
import { utf8 } from '../core/bytes.ts';
import type { Check } from '../core/report.ts';
import type { Call } from './command.ts';
import { allowSkipFlag, text, texts } from './flags.ts';

/** Declares `--junit FILE` and `--allow-skip ID`. */
export function reportFlags(command: Command): Command {
  return allowSkipFlag(command.option('--junit <file>', 'write the checks as JUnit XML too'));
}

/** Writes the checks to the file of `--junit`, where it was given. @throws FILE_ACCESS, DISK_FULL */
export async function writeReport(call: Call, suite: string, checks: readonly Check[]): Promise<void> {
  const junit = text(call, 'junit');
  if (junit === undefined) return;
  const { junitXml } = await import('../render/junit.ts');
  await call.io.files.write(junit, utf8(junitXml(suite, checks, texts(call, 'allowSkip'))), { overwrite: true });
}
