/** Makes a custodian's root key on their own medium or token. */
import { equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { SecureevError, failure } from '../../../core/errors.ts';
import type { Io, Random } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { hkdfSha256 } from '../../../crypto/kdf.ts';
import type { Custodian } from '../../../formats/ceremony-plan.ts';
import { ceremonyKeyName } from '../../../formats/ceremony-plan.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import type { Json } from '../../../formats/json/json.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import { publicHalf } from '../../../formats/keys/key-file.ts';
import { encodePublicFile } from '../../../formats/keys/public-file.ts';
import { REHEARSAL_HOLDER } from '../../../formats/keys/rehearsal-keys.ts';
import type { CustodianStep } from '../../../plan/ceremony/steps.ts';
import { forget, keyFileBytes, newIdentity } from '../new-keys.ts';
import { chosenScheme } from '../schemes.ts';
import type { KeyScheme } from '../schemes.ts';
import { askInitials, askUntil, custodianAndWitness, idsMade } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import {
  ceremonyPaths,
  isPending,
  mediumPaths,
  notePending,
  requireMedium,
  sweep,
  writeAndReadBack,
} from './folder.ts';
import { makeTokenKey } from './token-key.ts';
import { onToken } from './unlock.ts';

const PRIVATE_MODE = 0o600;
const SEED_MATERIAL_BYTES = 64;
const KEY_FILE_BYTES_MAX = 64 * 1024;

/** Makes the key. @throws CEREMONY_MEDIUM_MISSING, FILE_EXISTS, KEY_DUPLICATE, DISK_FULL, CEREMONY_READ_BACK, SIGNER_* */
export async function generate(ceremony: Ceremony, step: CustodianStep): Promise<StepAnswer> {
  const { io, plan } = ceremony;
  const { custodian } = step;
  await requireMedium(io.files, custodian);
  await sweep(io.files, custodian.medium);
  const scheme = chosenScheme(plan.scheme, 'signing');
  const dice = await rollDice(ceremony);
  const random = dice === '' ? io.random : mixedRandom(io, dice);
  const made = onToken(custodian)
    ? await tokenAndFile(ceremony, step, { scheme, random })
    : await fileOnly(ceremony, step, { scheme, random });
  const publicFile = utf8(made.publicFile);
  await writeAndReadBack(io, mediumPaths(custodian, step.root).publicKey, publicFile);
  await writeAndReadBack(io, ceremonyPaths(ceremony.folder).publicKey(custodian, step.root), publicFile);
  const keys = made.keys.map(({ algorithm, keyId }) => jsonMap({ algorithm, keyId }));
  const facts = { keys, publicSha256: toHex(sha256(io.engine, publicFile)), diceRolls: dice.length, ...made.facts };
  return { initials: await askInitials(ceremony.asker, custodianAndWitness(plan, custodian)), facts };
}

interface Material {
  readonly scheme: KeyScheme;
  readonly random: Random;
}

interface Made {
  readonly keys: readonly PublicKey[];
  readonly publicFile: string;
  readonly facts: Readonly<Record<string, Json>>;
}

async function fileOnly(ceremony: Ceremony, step: CustodianStep, material: Material): Promise<Made> {
  const { io } = ceremony;
  const holder = holderName(ceremony, step.custodian);
  const { key: path } = mediumPaths(step.custodian, step.root);
  await freeKeyFile(ceremony, { step: step.id, path });
  const passphrase = await askNewPassphrase(ceremony, step);
  const { random, scheme } = material;
  const identity = newIdentity(scheme, { engine: io.engine, random }, { holder, created: io.clock.now() });
  try {
    refuseKnown(
      ceremony,
      identity.keys.map(({ publicKey }) => publicKey),
    );
    const bytes = await keyFileBytes(identity, passphrase, io);
    await writeKeyFile(ceremony, { step: step.id, path, bytes });
    const half = publicHalf(identity);
    const keyFileSha256 = toHex(sha256(io.engine, bytes));
    return { keys: half.keys, publicFile: encodePublicFile(half), facts: { keyFileSha256 } };
  } finally {
    forget(identity);
  }
}

/** The classical key on the token, the post-quantum one in a file beside it, and a `.signer` file that joins them. */
async function tokenAndFile(ceremony: Ceremony, step: CustodianStep, material: Material): Promise<Made> {
  const { io } = ceremony;
  const [classical, ...others] = material.scheme.algorithms;
  if (classical === undefined) throw failure('INTERNAL', 'a scheme without an algorithm');
  const paths = mediumPaths(step.custodian, step.root);
  const label = ceremonyKeyName(step.custodian.initials, step.root);
  const rest =
    others.length === 0
      ? undefined
      : await fileOnly(ceremony, step, { ...material, scheme: { ...material.scheme, algorithms: others } });
  const token = await makeTokenKey(ceremony, step, { algorithm: classical, label });
  refuseKnown(ceremony, [token.publicKey]);
  const lines = rest === undefined ? token.address : `${token.address}+${label}.key`;
  await writeAndReadBack(io, paths.signer, utf8(`${lines}\n`));
  const keys = [token.publicKey, ...(rest?.keys ?? [])];
  const holder = holderName(ceremony, step.custodian);
  const publicFile = encodePublicFile({ keys, purpose: 'signing', holder, created: io.clock.now() });
  return { keys, publicFile, facts: { ...rest?.facts, token: token.description } };
}

/** The mark of a rehearsal goes with the key wherever it goes. */
function holderName({ rehearsal }: Ceremony, custodian: Custodian): string {
  return rehearsal ? REHEARSAL_HOLDER + custodian.name : custodian.name;
}

/** A file that a killed run of this very step began was shown to nobody; any other one is left alone. */
async function freeKeyFile({ io, folder, asker }: Ceremony, pending: { step: string; path: string }): Promise<void> {
  if ((await io.files.status(pending.path)) === undefined) return;
  if (!(await isPending(io.files, folder, pending))) {
    throw new SecureevError('FILE_EXISTS', {
      message: `${pending.path} is there already, and this ceremony did not make it`,
      hint: 'put in an empty medium',
      details: { path: pending.path },
    });
  }
  await io.files.remove(pending.path);
  await asker.tell([
    { kind: 'warning', text: `removed ${pending.path}: it was begun before an interruption and never shown` },
  ]);
}

async function writeKeyFile(
  { io, folder }: Ceremony,
  { step, path, bytes }: { step: string; path: string; bytes: Uint8Array },
): Promise<void> {
  await notePending(io.files, folder, { step, path });
  await io.files.write(path, bytes, { mode: PRIVATE_MODE });
  const back = await io.files.read(path, KEY_FILE_BYTES_MAX);
  if (!equalBytes(back, bytes)) throw failure('CEREMONY_READ_BACK', `${path} does not read back as it was written`);
}

/** Two custodians with one key would count once, whatever the threshold says. */
function refuseKnown({ transcript }: Ceremony, keys: readonly PublicKey[]): void {
  const known = idsMade(transcript.entries);
  const twice = keys.find(({ keyId }) => known.has(keyId));
  if (twice !== undefined) {
    throw failure('KEY_DUPLICATE', `key ${twice.keyId} was made in this ceremony already`, { keyId: twice.keyId });
  }
}

async function askNewPassphrase({ asker }: Ceremony, { custodian, root }: CustodianStep): Promise<string> {
  const ask = async (prompt: string): Promise<string> =>
    await asker.ask({ kind: 'passphrase', secret: true, custodian, prompt: `${custodian.name}: ${prompt}` });
  let second = '';
  return await askUntil(asker, {
    ask: async () => {
      const first = await ask(`new passphrase of the ${root} root key`);
      second = await ask('the same passphrase again');
      return first;
    },
    accept: (first) => first !== '' && first === second && first.length <= 1024,
    wrong: 'the passphrase is empty, or the two are not the same',
  });
}

/** The dice as typed, digits alone; empty where the plan wants none. */
async function rollDice({ asker, plan }: Ceremony): Promise<string> {
  const rolls = plan.diceRolls;
  if (rolls === 0) return '';
  const digits = (text: string): string => text.replaceAll(/[\s,;.-]/g, '');
  const typed = await askUntil(asker, {
    ask: () => asker.ask({ kind: 'dice', secret: false, rolls, prompt: `${rolls} rolls of a die, as digits` }),
    accept: (text) => /^[1-6]+$/.test(digits(text)) && digits(text).length >= rolls,
    wrong: `not ${rolls} digits from 1 to 6`,
  });
  return digits(typed);
}

/** The machine's randomness and the dice in one: whoever knows only one of them knows nothing. @see RFC 5869 */
function mixedRandom({ engine, random }: Pick<Io, 'engine' | 'random'>, dice: string): Random {
  return {
    bytes: (count) =>
      hkdfSha256({
        engine,
        ikm: random.bytes(SEED_MATERIAL_BYTES),
        salt: sha256(engine, utf8(dice)),
        info: utf8('secureev/ceremony/dice/1'),
        length: count,
      }),
  };
}
