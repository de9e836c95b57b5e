import { API_GROUPS } from '../events/api-path.ts';
import type { Transport } from '../shared/kubernetes/transport.ts';

/**
 * Checks that discovery (`/apis`) answers as a Kubernetes API, once. Without this proof a 404 can come from a proxy, or from a wrong path in the
 * server's URL, and does not show that a kind is not served. The returned function throws when the proof is missing.
 */
export function requireKubernetes(server: Pick<Transport, 'send'>): () => Promise<void> {
  let answer: Promise<{ status: number; body: unknown }> | undefined;
  return async () => {
    answer ??= server.send({ method: 'GET', path: API_GROUPS });
    const { status, body } = await answer;
    if (status === 200 && (body as { kind?: unknown } | null)?.kind === 'APIGroupList') return;
    throw new Error(
      `the server does not answer as a Kubernetes API (GET ${API_GROUPS}: ${status}). Check the server URL and the credentials in the kubeconfig`,
    );
  };
}
