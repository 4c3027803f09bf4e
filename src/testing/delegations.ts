/** Delegations in a test repository, by the operations themselves. */
import { parseName, parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { addBins, addDelegation } from '../ops/repository/delegation-add.ts';
import type { DelegationAddAnswer, DelegationAddInput } from '../ops/repository/delegation-add.ts';
import { publishImage } from '../ops/repository/publish-image.ts';
import { treeSource } from '../ops/repository/tree-source.ts';
import { findTarget } from '../trust/find-target.ts';
import type { FoundTarget } from '../trust/find-target.ts';
import { updateFrom } from '../trust/update.ts';
import type { TestRepository } from './signed-repository.ts';

/** What of a delegation a test says; `keys` are names of test keys, `ROLE=NAME` where several roles must agree. */
export interface DelegationWish extends Partial<
  Pick<DelegationAddInput, 'threshold' | 'terminating' | 'agreement' | 'before' | 'move'>
> {
  readonly under?: string;
  readonly hardware?: readonly string[];
  readonly keys?: readonly string[];
  readonly dryRun?: boolean;
}

/** `delegation add NAME --path ...`; its key is one of its name where none are said. */
export async function delegate(
  repository: TestRepository,
  name: string,
  paths: string,
  wish: DelegationWish = {},
): Promise<DelegationAddAnswer> {
  const wanted = (wish.keys ?? [name]).map((key) => key.split('=') as [string, string?]);
  const keys = wanted.map(([first, second]) =>
    second === undefined ? { role: undefined, file: first } : { role: first, file: second },
  );
  for (const { file } of keys) await repository.key(file);
  return await addDelegation(
    {
      repository: repository.choice,
      name,
      under: wish.under ?? 'targets',
      paths: paths.split(' '),
      keys: keys.map(({ role, file }) => ({ role, file: `${file}.pub` })),
      hardwareIds: (wish.hardware ?? []).map((id) => parseName(id)),
      terminating: wish.terminating ?? false,
      multiRole: keys.some(({ role }) => role !== undefined),
      agreement: wish.agreement,
      threshold: wish.threshold,
      before: wish.before,
      move: wish.move ?? false,
      dryRun: wish.dryRun,
    },
    repository.io,
  );
}

/** `delegation bins N`; the key is `bins`. */
export async function delegateBins(
  repository: TestRepository,
  bins: number,
  wish: { under?: string; keys?: readonly string[]; threshold?: number; move?: boolean } = {},
): Promise<DelegationAddAnswer> {
  const keys = wish.keys ?? ['bins'];
  for (const name of keys) await repository.key(name);
  const { under = 'targets', threshold, move = false } = wish;
  const publicFiles = keys.map((name) => `${name}.pub`);
  const input = { repository: repository.choice, bins, namePrefix: 'bins', under, publicFiles, threshold, move };
  return await addBins(input, repository.io);
}

/** What a client finds in the published tree, and the names of the files that it fetched. */
export interface ClientAnswer {
  readonly found: FoundTarget | undefined;
  readonly fetched: readonly string[];
}

/** Publishes to `public` and looks a target up there, as a client with the first root. */
export async function publishAndFind(
  repository: TestRepository,
  name: string,
  hardwareId?: string,
): Promise<ClientAnswer> {
  const { io, choice } = repository;
  await publishImage({ repository: choice, folder: 'public' }, io);
  return await find(repository, parseTargetName(name), hardwareId);
}

async function find({ io }: TestRepository, name: TargetName, hardwareId?: string): Promise<ClientAnswer> {
  const fetched: string[] = [];
  const tree = treeSource(io, 'public').metadata;
  const source: typeof tree = {
    ...tree,
    fetch: async (file, maxBytes) => {
      const bytes = await tree.fetch(file, maxBytes);
      if (bytes !== undefined) fetched.push(file);
      return bytes;
    },
  };
  const pinnedRoot = await io.files.read('public/metadata/1.root.json', 1_000_000);
  const set = await updateFrom(source, { engine: io.engine, pinnedRoot, now: io.clock.now() });
  const { found } = await findTarget({ source }, set, { name, hardwareId });
  return { found: found?.verified, fetched };
}
