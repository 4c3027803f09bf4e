/** Where metadata comes from, and where a client keeps what it has verified. */
import { isFailure } from '../core/errors.ts';
import { refusal, roleText } from './refusal.ts';
import { metadataFileName } from './file-names.ts';

/** A published tree's `metadata` folder: on disk, in a kit, behind a URL. What it gives is an attacker's until verified. */
export interface TrustSource {
  /**
   * The file `name` (percent-encoded, e.g. `3.root.json`, `delegations/fw.json`), undefined where there is none. It never reads more than
   * `maxBytes` + 1 bytes; more than `maxBytes` may come back, or FILE_TOO_LARGE or HTTP_ENDLESS be thrown.
   */
  fetch(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}

/** What a client keeps from one update to the next, exactly as received; one file a role. */
export interface TrustStore {
  load(role: string): Promise<Uint8Array | undefined>;
  /** Called as soon as a file is verified and before the next one is fetched (T10). */
  save(role: string, bytes: Uint8Array): Promise<void>;
  /** No error where there is none. */
  remove(role: string): Promise<void>;
}

/** A store that keeps nothing. */
export const NO_STORE: TrustStore = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

/** Source and store of a client. */
export interface TrustClient {
  readonly source: TrustSource;
  readonly store?: TrustStore | undefined;
}

/** Which file to fetch. */
export interface FetchRequest {
  readonly role: string;
  /** Where the dialect keeps delegated roles, with its slash; beside the others by default. */
  readonly folder?: string | undefined;
  /** Undefined for files without a number. */
  readonly version: number | undefined;
  readonly maxBytes: number;
}

/** Fetches a file if it is there. @throws TRUST_ENDLESS_DATA, and what the source throws */
export async function fetchIfThere(source: TrustSource, request: FetchRequest): Promise<Uint8Array | undefined> {
  const { maxBytes } = request;
  const bytes = await fetchOrRefuse(source, request, nameOf(request));
  if (bytes !== undefined && bytes.length > maxBytes) throw endless(request);
  return bytes;
}

async function fetchOrRefuse(source: TrustSource, request: FetchRequest, name: string) {
  try {
    return await source.fetch(name, request.maxBytes);
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_TOO_LARGE') || isFailure(thrown, 'HTTP_ENDLESS')) throw endless(request);
    throw thrown;
  }
}

/** Fetches a file that must be there. @throws TRUST_FILE_MISSING, TRUST_ENDLESS_DATA, and what the source throws */
export async function fetchListed(source: TrustSource, request: FetchRequest): Promise<Uint8Array> {
  const bytes = await fetchIfThere(source, request);
  if (bytes !== undefined) return bytes;
  const name = nameOf(request);
  throw refusal('TRUST_FILE_MISSING', {
    role: request.role,
    message: `${roleText(name)} is not there`,
    // Nothing lists Timestamp: where it is missing, so may be the whole tree.
    hint: request.role === 'timestamp' ? 'is this the place of a tree, with `metadata/` in it?' : undefined,
    details: { file: name },
  });
}

function nameOf({ role, version, folder = '' }: FetchRequest): string {
  return folder + metadataFileName(role, version);
}

function endless(request: FetchRequest) {
  const { role, maxBytes } = request;
  return refusal('TRUST_ENDLESS_DATA', {
    role,
    message: `${roleText(nameOf(request))} is over ${maxBytes} bytes`,
    details: { limit: maxBytes },
  });
}
