/** The one place that calls the native module of SQLite, where this Node can load it: an older one would crash. */
import Database from 'better-sqlite3';
import { SecureevError } from '../core/errors.ts';

/** An open connection. */
export type Connection = Database.Database;

/** What better-sqlite3 13 is built for; Node 22.14 and 23.6 brought it. */
const NODE_API_MIN = 10;

/** Opens a database: a file's path, `:memory:`, or `` for a private file without a name. @throws NODE_TOO_OLD */
export function connect(path: string, options: Database.Options = {}): Connection {
  requireNodeApi(process.versions);
  return new Database(path, options);
}

/** Exported for its test. */
export function requireNodeApi({ modules, napi, node }: Readonly<Record<string, string | undefined>>): void {
  if (Number(napi) >= NODE_API_MIN) return;
  throw new SecureevError('NODE_TOO_OLD', {
    message: `repositories need Node 22.14 or newer, this is Node ${node}`,
    hint: 'verifying, inspecting and decrypting work with it; for all else use Node 24',
    details: { node, modules, napi },
  });
}
