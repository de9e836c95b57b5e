import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

/** One file of a rotated log, as it stood in its folder a moment ago. */
export interface LogSibling {
  path: string;
  inode: string;
  size: number;
  compressed: boolean;
  /** Milliseconds: no event in it is later. Infinity for the file that is being written. */
  until: number;
}

/** The time that kube-apiserver's rotation (lumberjack) puts into the name: `audit-2026-11-21T10-00-00.000.log`. */
const ROTATED = /-(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2}\.\d{3})\b/;

/** All files of the log at `path`, the oldest first, the one being written last. Empty when there is none yet, or no folder. */
export async function listLog(path: string): Promise<LogSibling[]> {
  // A file renamed between the listing and the look at it would be skipped: two equal looks in a row make sure.
  for (let before = await look(path); ; ) {
    const after = await look(path);
    if (isSameLog(before, after)) return after;
    before = after;
  }
}

/** Whether no file was rotated, added or deleted between two looks. */
export const isSameLog = (one: LogSibling[], other: LogSibling[]): boolean => signature(one) === signature(other);

const signature = (files: LogSibling[]): string => files.map(({ path, inode }) => `${path} ${inode}`).join('\n');

async function look(path: string): Promise<LogSibling[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(unless<string[]>('ENOENT', []));
  const mine = names.filter((name) => belongs(name, basename(path)) && !(name.endsWith('.gz') && names.includes(name.slice(0, -3))));
  const files = await Promise.all(mine.map((name) => sibling(join(folder, name), path)));
  return files
    .filter((file) => file !== undefined)
    .sort((a, b) => (a.until === b.until ? (a.path < b.path ? -1 : 1) : a.until < b.until ? -1 : 1));
}

/** `audit.log`, `audit-TIME.log[.gz]` as kube-apiserver names them; `audit.log.1[.gz]` and `audit.log-DATE[.gz]` as logrotate does. */
function belongs(name: string, current: string): boolean {
  const end = extname(current);
  const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
  const rotated = ROTATED.test(plain) && plain.startsWith(`${basename(current, end)}-`) && plain.endsWith(end);
  return name === current || rotated || (plain.startsWith(current) && /^[.-]\d[\dT.-]*$/.test(plain.slice(current.length)));
}

async function sibling(path: string, current: string): Promise<LogSibling | undefined> {
  const found = await stat(path, { bigint: true }).catch(unless('ENOENT', undefined));
  if (!found?.isFile()) return undefined;
  const [, day, hour, minute, second] = ROTATED.exec(basename(path)) ?? [];
  const named = day === undefined ? Number.NaN : Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  const until = path === current ? Number.POSITIVE_INFINITY : Number.isNaN(named) ? Number(found.mtimeNs) / 1e6 : named;
  return { path, inode: `${found.ino}`, size: Number(found.size), compressed: path.endsWith('.gz'), until };
}

const unless =
  <T>(code: string, value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === code) return value;
    throw error;
  };
