/** A new repository. */
import { SecureevError } from '../../core/errors.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { DIALECTS } from '../../formats/metadata/index.ts';
import { createRepository } from '../../store/repository.ts';
import { markRehearsal } from './rehearsal.ts';

/** What to make. */
export interface InitInput {
  readonly folder: string;
  readonly name: string;
  readonly dialect: string;
  /** Mark it as one for rehearsals, which takes example keys. */
  readonly rehearsal?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was made; no UUID for a dry run. */
export interface InitAnswer {
  readonly name: string;
  readonly dialect: string;
  readonly uuid: string | null;
}

/** Makes a repository in `folder`. @throws REPOSITORY_EXISTS, DIALECT_UNKNOWN, DATABASE_NETWORK */
export async function initRepository(input: InitInput, io: Io): Promise<InitAnswer> {
  const { folder, name, dialect } = input;
  if (!DIALECTS.some(({ id }) => id === dialect)) {
    throw new SecureevError('DIALECT_UNKNOWN', {
      message: `unknown metadata dialect ${dialect}`,
      hint: `known: ${DIALECTS.map(({ id }) => id).join(', ')}`,
    });
  }
  if (input.dryRun === true) {
    const taken = (await io.files.status(`${folder}/repo.db`)) !== undefined;
    if (taken) throw failure('REPOSITORY_EXISTS', `${folder} holds a repository already`);
    return { name, dialect, uuid: null };
  }
  using repository = await createRepository(io, folder, {
    name,
    dialect,
    fill: input.rehearsal === true ? markRehearsal : undefined,
  });
  return repository.identity;
}
