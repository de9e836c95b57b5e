import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Connection } from '../shared/kubernetes/transport.ts';
import { UsageError } from './verb.ts';

/** How to reach the cluster of a kubeconfig context, by any way a kubeconfig knows (token, certificate, exec plugin). */
export async function readKubeconfig(
  path: string | undefined,
  context: string | undefined,
): Promise<{ cluster: string; connection: Connection }> {
  const config = new KubeConfig();
  try {
    if (path) config.loadFromFile(path);
    else config.loadFromDefault();
    if (context) config.setCurrentContext(context);
  } catch (error) {
    throw new UsageError(`The kubeconfig ${path ?? ''} cannot be read: ${(error as Error).message}`);
  }
  if (config.getClusters()?.length === undefined || config.getClusters().length === 0)
    throw new UsageError(`${path ?? 'The kubeconfig'} is no kubeconfig: it names no cluster. Give one with --kubeconfig`);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new UsageError(
      `The kubeconfig has no context "${config.getCurrentContext() ?? ''}". Name one with --context: ${config
        .getContexts()
        .map(({ name }) => name)
        .join(', ')}`,
    );
  if (!cluster.server.startsWith('https://'))
    throw new UsageError(`${cluster.server} is not https: kubemend sends no credentials in the clear`);
  const options = async (): Promise<RequestOptions> => {
    const result: RequestOptions = {};
    await config.applyToHTTPSOptions(result);
    return result;
  };
  const { ca, cert, key } = await options();
  const connection: Connection = {
    server: cluster.server,
    userAgent: 'kubemend',
    ...(ca && { ca: pem(ca) }),
    ...(cert && key && { clientCertificate: { cert: pem(cert), key: pem(key) } }),
    token: async () => bearer((await options()).headers) ?? '',
  };
  if (bearer((await options()).headers) === undefined) delete connection.token;
  return { cluster: config.getContextObject(config.getCurrentContext())?.cluster ?? cluster.name, connection };
}

const pem = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value));

function bearer(headers: RequestOptions['headers']): string | undefined {
  const value = (headers as Record<string, unknown> | undefined)?.Authorization;
  return typeof value === 'string' && value.startsWith('Bearer ') ? value.slice('Bearer '.length) : undefined;
}
