/** People in the room who say what a file of answers says: for rehearsals without a terminal. */
import { formatInstant } from '../../../core/brands.ts';
import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { SecureevError, failure } from '../../../core/errors.ts';
import type { Files, Io } from '../../../core/ports.ts';
import { decodeCeremonyAnswers } from '../../../formats/ceremony-answers.ts';
import type { CeremonyAnswers } from '../../../formats/ceremony-answers.ts';
import { ceremonyKeyName } from '../../../formats/ceremony-plan.ts';
import type { CeremonyAsker, PrintedPage, Question } from './asker.ts';

const ANSWERS_BYTES_MAX = 64 * 1024;
const PAGE_BYTES_MAX = 64 * 1024;
const PRIVATE_MODE = 0o600;

/** Reads a file of answers. @throws FILE_NOT_FOUND, CEREMONY_ANSWERS_MALFORMED */
export async function scriptedAsker(path: string, io: Io): Promise<CeremonyAsker> {
  const answers = decodeCeremonyAnswers(await io.files.read(path, ANSWERS_BYTES_MAX), path);
  const drilled = { step: '', page: 0 };
  return {
    begin: async ({ step }) => {
      Object.assign(drilled, { step: step.id, page: 0 });
      await Promise.resolve();
    },
    tell: () => Promise.resolve(),
    ask: async (question) => await answerTo(question, { answers, io, drilled }),
    handOut: async (pages) => await printTo(io.files, needed(answers.printer, 'printer'), pages),
    failed: () => Promise.resolve('stop'),
  };
}

/** The same people, who print shares from files in `folder` instead of writing them down from the screen. */
export function printingAsker(asker: CeremonyAsker, folder: string, { files }: Io): CeremonyAsker {
  return {
    ...asker,
    handOut: async (pages) => {
      await printTo(files, folder, pages);
      const text = `${pages.length} pages are in ${folder}: print them, put each into its envelope, then delete the files`;
      await asker.tell([{ kind: 'fact', label: 'shares', text }]);
    },
  };
}

interface Script {
  readonly answers: CeremonyAnswers;
  readonly io: Io;
  /** Which page the drill at hand reads next. */
  readonly drilled: { step: string; page: number };
}

async function answerTo(question: Question, script: Script): Promise<string> {
  const { answers, io } = script;
  switch (question.kind) {
    case 'initials':
      return question.person.initials;
    case 'passphrase':
      return needed(answers.passphrases.get(question.custodian.initials), `passphrases.${question.custodian.initials}`);
    case 'pin':
      return needed(answers.pins.get(question.custodian.initials), `pins.${question.custodian.initials}`);
    case 'dice':
      return answers.dice;
    case 'clock':
      return formatInstant(question.now).slice(11, 16);
    case 'typed-back':
      return question.keyId.slice(-8);
    case 'share':
      return await readPage(io, script, `${ceremonyKeyName(question.custodian.initials, question.root)}-share-`);
  }
}

function needed(answer: string | undefined, field: string): string {
  if (answer !== undefined) return answer;
  throw new SecureevError('CEREMONY_ANSWERS_MALFORMED', {
    message: `the answers have no ${field}, and it was asked for`,
  });
}

async function printTo(files: Files, folder: string, pages: readonly PrintedPage[]): Promise<void> {
  for (const { name, text } of pages) {
    await files.write(`${folder}/${name}`, utf8(text), { mode: PRIVATE_MODE, overwrite: true });
  }
}

/** The next page of this key, as its QR code would be scanned. */
async function readPage({ files }: Io, { answers, drilled }: Script, prefix: string): Promise<string> {
  const folder = needed(answers.printer, 'printer');
  const names = (await files.list(folder)).filter((name) => name.startsWith(prefix));
  const name = names[drilled.page++];
  if (name === undefined) throw failure('SHARE_SHORT', `${folder} has no further page ${prefix}...`);
  return qrContent(fromUtf8(await files.read(`${folder}/${name}`, PAGE_BYTES_MAX), name));
}

/** The lines of a page are the same base32 as its QR code. */
function qrContent(page: string): string {
  const lines = page.split('\n').flatMap((line) => /^\d\d: ([0-9A-Z ]+) \//.exec(line)?.[1] ?? []);
  return `SECUREEV-SHARE:${lines.join('').replaceAll(' ', '')}`;
}
