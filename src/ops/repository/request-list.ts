/** The signing requests that went out, for roles and for bundles. */
import type { Instant } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import { bundleRequests } from '../../store/pending-bundles.ts';
import { listRequests as roleRequests } from '../../store/requests.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { roleText } from './role-address.ts';

/** A request that went out. */
export interface ListedRequest {
  /** SHA-256 of the file, 32 bytes. */
  readonly digest: Uint8Array;
  /** A role as people write it, or a bundle's target name. */
  readonly subject: string;
  readonly version: number | undefined;
  readonly createdAt: Instant;
  readonly state: 'waiting' | 'complete' | 'cancelled';
}

/** Lists them, the newest first. */
export async function listRequests(input: { repository: RepositoryChoice }, io: Io): Promise<readonly ListedRequest[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const roles = roleRequests(repository).map(({ digest, repository: kind, role, version, createdAt, state }) => {
    const subject = roleText({ repository: kind, name: role });
    return { digest, subject, version, createdAt, state: state === 'frozen' ? ('waiting' as const) : state };
  });
  const bundles = bundleRequests(repository).map(({ digest, target, createdAt, waiting }) => {
    return {
      digest,
      subject: target,
      version: undefined,
      createdAt,
      state: waiting ? ('waiting' as const) : ('complete' as const),
    };
  });
  return [...roles, ...bundles].toSorted((a, b) => b.createdAt - a.createdAt);
}
