/** A repository in a temporary folder with test keys for its roles, driven through the operations themselves. */
import { createHash } from 'node:crypto';
import { parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import type { Io } from '../core/ports.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { initRepository } from '../ops/repository/init.ts';
import { renewWithKeys } from '../ops/repository/renew.ts';
import type { RenewAnswer } from '../ops/repository/renew.ts';
import { signedRole } from '../ops/repository/role-address.ts';
import { setRole } from '../ops/repository/role-set.ts';
import { signWithKeys } from '../ops/repository/sign.ts';
import type { SignAnswer } from '../ops/repository/sign.ts';
import { addTarget } from '../ops/repository/targets.ts';
import { openRepository } from '../store/repository.ts';
import type { Repository } from '../store/repository.ts';
import type { FixedClock } from './clock.ts';
import { folderIo } from './folder-io.ts';
import { testKey } from './signer-keys.ts';
import type { TestKey } from './signer-keys.ts';

/** The repository and what drives it. */
export interface TestRepository extends AsyncDisposable {
  readonly io: Io & { readonly clock: FixedClock };
  /** The working folder; the repository is `oem` in it. */
  readonly folder: string;
  /** For inputs of operations. */
  readonly choice: { readonly folder: string };
  /** The key of a name such as `root-a`, made on first use; its public file is `NAME.pub`. */
  key(name: string): Promise<TestKey>;
  /** `role set`. */
  setKeys(role: string, names: readonly string[], threshold?: number): Promise<void>;
  sign(roles: string, names: string): Promise<SignAnswer>;
  renew(names: string, withinSeconds?: number): Promise<RenewAnswer>;
  /** Adds a firmware image whose bytes may be published; gives its content. */
  addImage(name: string, counter: number, clear?: boolean): Promise<Uint8Array>;
  /** Works on the open repository. */
  open<T>(work: (repository: Repository) => T | Promise<T>): Promise<T>;
}

/** How a test repository begins. */
export interface TestRepositorySetup {
  readonly algorithms?: readonly SignatureId[];
  readonly now?: string;
  readonly dialect?: string;
}

/** An empty repository without keys. */
export async function testRepository(setup: TestRepositorySetup = {}): Promise<TestRepository> {
  const machine = await folderIo(setup.now === undefined ? {} : { now: setup.now });
  const { io, folder } = machine;
  const choice = { folder: 'oem' };
  await initRepository({ folder: 'oem', name: 'Example Motors', dialect: setup.dialect ?? 'tuf' }, io);
  const known = new Map<string, TestKey>();
  const key = async (name: string): Promise<TestKey> => {
    const made = known.get(name) ?? testKey(name, setup.algorithms);
    if (!known.has(name)) await io.files.write(`${name}.pub`, Buffer.from(made.publicFile));
    known.set(name, made);
    return made;
  };
  const keysOf = async (names: string): Promise<TestKey['keys']> =>
    (await Promise.all(words(names).map(key))).flatMap(({ keys }) => keys);
  const repository: TestRepository = {
    io,
    folder,
    choice,
    key,
    async setKeys(role, names, threshold) {
      await Promise.all(names.map(key));
      await setRole({ repository: choice, role, publicFiles: names.map((name) => `${name}.pub`), threshold }, io);
    },
    async sign(roles, names) {
      const keys = await keysOf(names);
      return await repository.open((open) => signWithKeys(open, { roles: words(roles).map(signedRole), keys }));
    },
    async renew(names, withinSeconds) {
      const keys = await keysOf(names);
      return await repository.open((open) => renewWithKeys(open, { roles: [], keys, withinSeconds }));
    },
    async addImage(name, counter, clear = true) {
      const content = new Uint8Array(createHash('sha512').update(`${name}:${counter}`).digest());
      await io.files.write('image.bin', content, { overwrite: true });
      const facts = {
        hardwareIds: [parseName('H1')],
        releaseCounter: parseVersion(counter),
        version: parseName('1.0'),
      };
      const added = { file: 'image.bin', name: parseTargetName(name), ...facts, clear, replace: true };
      await addTarget({ repository: choice, ...added }, io);
      return content;
    },
    async open(work) {
      using open = await openRepository(io, 'oem');
      return await work(open);
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
  return repository;
}

/** One with keys for all roles (`root` 2 of `root-a`, `root-b`, `root-c`; the others one of their name) and a complete root. */
export async function repositoryWithRoot(setup: TestRepositorySetup = {}): Promise<TestRepository> {
  const repository = await testRepository(setup);
  await repository.setKeys('root', ['root-a', 'root-b', 'root-c'], 2);
  for (const role of ['targets', 'snapshot', 'timestamp']) await repository.setKeys(role, [role]);
  await repository.sign('root', 'root-a root-b');
  return repository;
}

/** The names of the roles below root, and of their keys. */
export const ONLINE = 'targets snapshot timestamp';

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}
