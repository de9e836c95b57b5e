import type { DatabaseSync } from 'node:sqlite';

/** What a write of a process says that lost its lease. */
export const FENCED = 'another kubemend took over this state directory: nothing is stored';

/**
 * From now on every write through this connection fails unless `owner` holds the lease `name`. SQLite itself checks it, with the write and
 * in every table, so no statement can forget it. The lease itself can still be renewed and released.
 */
export function fence(database: DatabaseSync, name: string, owner: string): void {
  const [quotedName, quotedOwner] = [quote(name), quote(owner)];
  const tables = database.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  for (const { name: table } of tables as { name: string }[])
    for (const operation of ['insert', 'update', 'delete']) {
      const row = operation === 'delete' ? 'old' : 'new';
      const isOther = table === 'leases' ? `${row}.name <> ${quotedName} AND ` : '';
      database.exec(`CREATE TEMP TRIGGER fence_${table}_${operation} BEFORE ${operation} ON main.${table}
        WHEN ${isOther} NOT EXISTS (SELECT 1 FROM main.leases WHERE name = ${quotedName} AND owner = ${quotedOwner})
        BEGIN SELECT RAISE(ABORT, ${quote(FENCED)}); END`);
    }
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
