import { spawn } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../bin/kubemend.ts');

/** Starts the command line as a person does: another process, plain pipes. */
export function startKubemend(surroundings: NodeJS.ProcessEnv, state: string, ...args: string[]) {
  const env = { ...surroundings, NODE_OPTIONS: '', KUBEMEND_STATE: state, USER: 'ada' };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  /** Resolves once that was told on standard error. */
  const says = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = () => said.err.includes(text) && resolve(said.err);
      child.stderr.on('data', look);
      child.on('close', () => reject(new Error(`It ended without saying "${text}": ${said.err}`)));
      look();
    });
  return { code, said, says, end: (signal: NodeJS.Signals) => child.kill(signal) };
}

/** A kubeconfig of a cluster that does not answer. */
export const DEAD_CLUSTER = JSON.stringify({
  clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'x', user: { token: 'x' } }],
  contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'x' } }],
  'current-context': 'dead',
});
