import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Everything kubemend takes from its surroundings; the one file that reads `process.env` and the terminal. */
export interface Environment {
  /** Where the state database and added artifacts are kept unless `--state` says otherwise. */
  stateDirectory: string;
  kubeconfig: string | undefined;
  user: string;
  interactive: boolean;
  columns: number;
}

/** Reads the process's environment once. */
export function readEnvironment(): Environment {
  const { XDG_STATE_HOME, KUBEMEND_STATE, KUBECONFIG, USER } = process.env;
  return {
    stateDirectory: KUBEMEND_STATE ?? join(XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'kubemend'),
    kubeconfig: KUBECONFIG,
    user: USER ?? userInfo().username,
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 100,
  };
}
