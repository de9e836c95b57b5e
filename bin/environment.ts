import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Everything kubemend takes from its surroundings; the one file that reads `process.env` and the terminal. */
export interface Environment {
  /** Where the state database and added artifacts are kept unless `--state` says otherwise. */
  stateDirectory: string;
  kubeconfig: string | undefined;
  /** The variables of a deployment in AWS, see docs/aws.md. */
  deployment: Record<string, string | undefined>;
  /** Of the API server, as a Pod sees it: `https://10.96.0.1:443`. */
  inClusterServer: string | undefined;
  /** Folder with `token` and `ca.crt` of the Pod's ServiceAccount. */
  serviceAccount: string;
  user: string;
  interactive: boolean;
  columns: number;
}

/** Reads the process's environment once. */
export function readEnvironment(): Environment {
  const { XDG_STATE_HOME, KUBEMEND_STATE, KUBECONFIG, USER } = process.env;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443', KUBEMEND_SERVICE_ACCOUNT } = process.env;
  return {
    stateDirectory: KUBEMEND_STATE ?? join(XDG_STATE_HOME ?? join(orElse(homedir, '/'), '.local', 'state'), 'kubemend'),
    kubeconfig: KUBECONFIG || undefined,
    deployment: process.env,
    inClusterServer: host ? `https://${host.includes(':') ? `[${host}]` : host}:${port}` : undefined,
    serviceAccount: KUBEMEND_SERVICE_ACCOUNT ?? '/var/run/secrets/kubernetes.io/serviceaccount',
    user: USER ?? orElse(() => userInfo().username, `uid ${process.getuid?.()}`),
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 100,
  };
}

/** A container's user may be in no passwd file. */
function orElse(read: () => string, otherwise: string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
