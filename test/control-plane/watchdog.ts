import { spawn } from 'node:child_process';

/** Ends what it watches when this process is gone. */
export interface Watchdog {
  watch(pid: number): void;
  /** Call it when the watched processes have ended: they are forgotten, and nothing is removed. */
  release(): void;
}

/** Keeps its input until the end, and kills last-started first: `release` alone on a line lets everything be. */
const SCRIPT = `
while read -r word; do
  [ "$word" = release ] && exit
  pids="$word $pids"
done
[ -z "$pids" ] || kill -9 $pids
[ -z "$1" ] || rm -rf "$1"`;

/**
 * Starts a shell that waits for the end of its input, which the kernel closes with us however we end (SIGKILL included, which no
 * handler sees). `folder` is removed then too, unless it is the user's own.
 */
export function startWatchdog(folder: string | undefined): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'control-plane-watchdog', folder ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  // The pipe's socket would keep our process alive as well; its type does not say that it can be let go.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  shell.stdin.on('error', () => {}); // somebody killed the shell: what it watched is then ours alone
  return {
    watch: (pid) => void shell.stdin.write(`${pid}\n`),
    release: () => void shell.stdin.end('release\n'),
  };
}
