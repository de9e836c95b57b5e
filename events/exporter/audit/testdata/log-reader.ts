import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { auditFile } from '../audit-file.ts';

// A process that reads the audit log at `path` and keeps what it reads in `kept`, its checkpoint in `${kept}.checkpoint`. It waits to be killed.
const [path = '', kept = ''] = process.argv.slice(2);
const checkpoint = `${kept}.checkpoint`;
const tell = (what: object): void => appendFileSync(kept, `${JSON.stringify(what)}\n`);

const saved = existsSync(checkpoint) ? JSON.parse(readFileSync(checkpoint, 'utf8')) : undefined;
tell({ from: saved?.offset > 0 ? saved.lastAt : null });
await auditFile({ path, pollEvery: 5 }).run({
  accept: async (events) => {
    if (Math.random() < 0.05) throw new Error('the disk is full');
    tell({ ids: events.map((event) => Number((event as { auditID: string }).auditID)) });
  },
  dropped: (count, reason) => tell({ dropped: count, reason }),
  gap: (from, to) => tell({ gap: [from, to] }),
  checkpoint: {
    read: () => saved,
    write: async (value) => {
      writeFileSync(`${checkpoint}.new`, JSON.stringify(value));
      renameSync(`${checkpoint}.new`, checkpoint);
    },
  },
  signal: new AbortController().signal,
  onProblem: () => {},
  now: () => Date.now(),
  random: () => 0.5,
  wait: (ms) => delay(Math.min(ms, 5)),
});
