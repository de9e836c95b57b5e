import { statSync } from 'node:fs';

/** The file that a path names now, as device and inode: the same text for the same file only, while one process has it open. Undefined: there is none. Throws what stat throws otherwise. */
export function fileIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
