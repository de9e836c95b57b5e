import { closeSync, copyFileSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { auditLine } from './audit-reading.ts';

// A process that writes `count` numbered events to `path`, most in two pieces, and rotates all the time: `rename` or `copytruncate`.
const [path = '', mode, count = '0'] = process.argv.slice(2);
const pause = new Int32Array(new SharedArrayBuffer(4));
let file = openSync(path, 'a');
let name = Date.now();

const rename = (): void => {
  name = Math.max(name + 1, Date.now());
  renameSync(path, path.replace('.log', `-${new Date(name).toISOString().replaceAll(':', '-').slice(0, -1)}.log`));
};
const reopen = (): void => {
  closeSync(file);
  file = openSync(path, 'a');
};

for (let id = 1, next = 200; id <= Number(count); id++) {
  const line = Buffer.from(auditLine(id, Math.floor(Math.random() * 3_000)));
  const half = Math.floor(Math.random() * line.length);
  const rotate = id === next;
  if (rotate) next += 1 + Math.floor(Math.random() * 700);
  if (rotate && mode === 'copytruncate') copyFileSync(path, `${path}-${++name}`);
  writeSync(file, line, 0, half);
  if (rotate && mode === 'rename') rename();
  if (id % 5 === 0) Atomics.wait(pause, 0, 0, Math.random() * 3);
  writeSync(file, line, half);
  if (rotate && mode === 'rename') reopen();
  // This line is in the copy no more, and in the file no longer.
  if (rotate && mode === 'copytruncate') ftruncateSync(file);
}
