/** The version of the database engine. */
import { connect } from './connect.ts';
import { guarded } from './database.ts';

/** SQLite's version, e.g. `3.51.0`, after a check that it computes. @throws DATABASE_FAILED */
export function sqliteVersion(): string {
  return guarded(() => {
    const connection = connect(':memory:');
    try {
      return String(connection.prepare('SELECT sqlite_version()').pluck().get());
    } finally {
      connection.close();
    }
  });
}
