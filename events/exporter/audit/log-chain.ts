import { stat } from 'node:fs/promises';
import { type LogFile, openLogFile } from './log-file.ts';
import { type LogPlace, readFrom } from './log-place.ts';
import { isSameLog, type LogSibling, listLog } from './log-siblings.ts';

/** A file's last event and its rotation come from two clocks. */
const SLACK = 60_000;

/** Where reading goes on after a start, or when the file is not what it was. */
export interface Found {
  file: LogFile;
  /** `here`: at the place. `copy`: at the place, in a copy made before the file was truncated. `lost`: the place is gone; this is the oldest file that may hold what came after it. */
  kind: 'here' | 'copy' | 'lost';
}

/** Opens the file that is being written, for a first start. Undefined when it is not there. */
export async function findFirst(path: string): Promise<Found | undefined> {
  const file = await openIfThere(path);
  return file && { file, kind: 'here' };
}

/** Finds the file a place is in, whatever it is called now. Undefined when there is nothing to read yet. */
export async function findPlace(path: string, place: LogPlace): Promise<Found | undefined> {
  const files = await listLog(path);
  const same = files.find(({ inode }) => inode === place.inode);
  // Of a file of which nothing was read there is no tail to compare. But a rename would have made it one of the older ones.
  const copy = place.offset === 0 && same?.until === Number.POSITIVE_INFINITY && files.find(({ until }) => until >= place.lastAt);
  const unread = copy && copy !== same && (await openListed(copy));
  if (unread) return { file: unread, kind: 'copy' };
  const here = same && (await openAt(same, place));
  if (here) return { file: here, kind: 'here' };
  const later = files.filter(({ until }) => until >= place.lastAt - SLACK);
  // Unpacking an old file takes seconds: only when its time fits.
  const likely = files.filter((one) => one !== same && place.offset > 0 && (!one.compressed || later.includes(one)));
  for (const one of likely) {
    const file = await openAt(one, place);
    // A compressed copy whose original is gone was rotated by a rename, which loses nothing.
    if (file) return { file, kind: one.compressed && same === undefined ? 'here' : 'copy' };
  }
  // Renamed while we looked: look again before anything is called lost.
  if (!isSameLog(files, await listLog(path))) return findPlace(path, place);
  const file = later[0] && (await openListed(later[0]));
  return file && { file, kind: 'lost' };
}

/** The file that follows an open one. `sure` is false when files between the two may have been deleted. Undefined while there is none with anything in it. */
export async function findNext(path: string, file: LogFile, place: LogPlace): Promise<{ next: LogSibling; sure: boolean } | undefined> {
  const current = await stat(path, { bigint: true }).catch(() => undefined);
  if (`${current?.ino}` === file.inode) return undefined;
  const files = await listLog(path);
  const { changedAt } = await file.stamp();
  let index = files.findIndex(({ inode }) => inode === file.inode);
  const later = index < 0 ? files.filter(({ until }) => until >= changedAt) : [];
  for (const one of place.offset > 0 ? later : []) {
    const copy = await openAt(one, place);
    if (!copy) continue;
    await copy.close();
    index = files.indexOf(one);
    break;
  }
  const next = index < 0 ? later[0] : files[index + 1];
  return next && next.size > 0 ? { next, sure: index >= 0 } : undefined;
}

/** Opens a file of a listing; undefined when another one has its name now. */
export async function openListed({ path, inode }: LogSibling): Promise<LogFile | undefined> {
  const file = await openIfThere(path);
  if (file?.inode === inode) return file;
  await file?.close();
  return undefined;
}

async function openAt(sibling: LogSibling, place: LogPlace): Promise<LogFile | undefined> {
  if (!sibling.compressed && sibling.size < place.offset) return undefined;
  const file = await openListed(sibling);
  // A compressed file that cannot be unpacked up to the place does not hold it.
  const found = file && (await readFrom(file, place, 1).catch(() => undefined));
  if (found) return file;
  await file?.close();
  return undefined;
}

async function openIfThere(path: string): Promise<LogFile | undefined> {
  try {
    return await openLogFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
