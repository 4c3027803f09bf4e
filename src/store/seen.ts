/** Which values a long file had before, exactly, in memory that does not grow with it. */
import { connect } from './connect.ts';
import { guarded } from './database.ts';

/** Values seen; disposing it leaves nothing. */
export interface Seen extends Disposable {
  /** Notes `value` at `row`; gives the row where it was before, and undefined where it is new. */
  add(value: string, row: number): number | undefined;
}

/** An empty one: a private database in an unnamed temporary file. */
export function nothingSeen(): Seen {
  return guarded(() => {
    const connection = connect('');
    connection.pragma('journal_mode = OFF');
    connection.pragma('synchronous = OFF');
    connection.exec('CREATE TABLE seen (value TEXT PRIMARY KEY, line INTEGER NOT NULL) STRICT, WITHOUT ROWID; BEGIN');
    const insert = connection.prepare('INSERT INTO seen (value, line) VALUES (?, ?) ON CONFLICT DO NOTHING');
    const find = connection.prepare<[string], { line: number }>('SELECT line FROM seen WHERE value = ?');
    return {
      add: (value, row) => guarded(() => (insert.run(value, row).changes > 0 ? undefined : find.get(value)?.line)),
      [Symbol.dispose]: () => connection.close(),
    };
  });
}
