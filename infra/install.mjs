// Installs what package-lock.json names, unless it is there already. Runs on any Node, before the pinned one is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const stamp = 'node_modules/.kubemend-lock';
const lock = readFileSync('package-lock.json', 'utf8');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('Installing dependencies (Node 24 among them) …');
  // Not `npm ci`: it refuses where a registry lacks the optional packages of other platforms. Versions come from the lock file all the same.
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error('npm install failed. Open the log it names; behind a proxy set npm_config_registry, then run the command again.');
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}
