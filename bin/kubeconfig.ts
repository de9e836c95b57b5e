import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { Connection } from '../shared/kubernetes/transport.ts';
import { refuseOtherFields } from './kubeconfig-fields.ts';
import { UsageError } from './verb.ts';

/** How to reach the cluster of a kubeconfig context, by any way a kubeconfig knows (token, certificate, exec plugin). Throws UsageError. */
export async function readKubeconfig(
  path: string | undefined,
  context: string | undefined,
): Promise<{ cluster: string; connection: Connection }> {
  const { config, files } = await load(path);
  const named = config.getContexts().map(({ name }) => name);
  if (context) config.setCurrentContext(context);
  const current = config.getCurrentContext();
  if (!current) throw new UsageError(`The kubeconfig${at(path)} sets no current context. ${choose(named)}`);
  if (!named.includes(current)) throw new UsageError(`The kubeconfig${at(path)} has no context "${current}". ${choose(named)}`);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new UsageError(`Context "${current}" of the kubeconfig${at(path)} names a cluster that is not in it. ${choose(named)}`);
  if (!cluster.server.startsWith('https://'))
    throw new UsageError(`${cluster.server} is not https: kubemend sends no credentials in the clear`);
  await refuseOtherFields(files, cluster.name, config.getContextObject(current)?.user ?? '');
  const options = async (): Promise<RequestOptions> => {
    const result: RequestOptions = {};
    await config.applyToHTTPSOptions(result);
    return result;
  };
  const { ca, cert, key, headers } = await options().catch((error: Error) => {
    throw new UsageError(`The credentials of context "${current}" cannot be read: ${error.message}`);
  });
  const connection: Connection = {
    server: cluster.server,
    userAgent: 'kubemend',
    ...(ca && { ca: pem(ca) }),
    ...(cert && key && { clientCertificate: { cert: pem(cert), key: pem(key) } }),
    token: async () => bearer((await options()).headers) ?? '',
  };
  if (bearer(headers) === undefined) delete connection.token;
  return { cluster: config.getContextObject(current)?.cluster ?? cluster.name, connection };
}

/** Reads the files of `path` (`$KUBECONFIG` may name several), else what every client takes: `~/.kube/config`, or the ServiceAccount of a Pod. */
async function load(path: string | undefined): Promise<{ config: KubeConfig; files: string[] }> {
  const config = new KubeConfig();
  const usual = join(homedir(), '.kube', 'config');
  if (path === undefined && !existsSync(usual)) {
    config.loadFromDefault();
    // What the library takes when there is nothing at all.
    if (config.getCurrentCluster()?.server !== 'http://localhost:8080') return { config, files: [] };
    throw new UsageError(`There is no kubeconfig: ${usual} does not exist. Name one with --kubeconfig, or in KUBECONFIG`);
  }
  const files = path === undefined ? [usual] : filesOf(path);
  for (const [index, file] of files.entries()) {
    const one = index === 0 ? config : new KubeConfig();
    await loadFile(one, file);
    if (index > 0) config.mergeConfig(one);
  }
  if (config.getClusters().length === 0)
    throw new UsageError(`${path ?? usual} is not a kubeconfig: it names no cluster. Give one with --kubeconfig`);
  return { config, files };
}

async function loadFile(config: KubeConfig, file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The kubeconfig ${file} cannot be read: ${error.code === 'ENOENT' ? 'it does not exist' : error.message}`);
  });
  if (text.trim() === '') throw new UsageError(`The kubeconfig ${file} is empty. Name another with --kubeconfig`);
  try {
    // A file whose YAML is no map would end in a TypeError of the library.
    config.loadFromFile(file);
    config.getClusters().length;
  } catch (error) {
    throw new UsageError(
      error instanceof TypeError
        ? `${file} is not a kubeconfig: it names no cluster. Give one with --kubeconfig`
        : `The kubeconfig ${file} cannot be read: ${(error as Error).message.split('\n')[0]}`,
    );
  }
}

/** One file, or several as in `$KUBECONFIG`; a file that is there may have the delimiter in its name. */
const filesOf = (path: string): string[] => (existsSync(path) ? [path] : path.split(delimiter).filter((file) => file !== ''));

const at = (path: string | undefined): string => (path === undefined ? '' : ` ${path}`);
const choose = (names: string[]): string =>
  names.length === 0 ? 'It has no context at all' : `Name one with --context: ${names.join(', ')}`;

const pem = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value));

function bearer(headers: RequestOptions['headers']): string | undefined {
  const value = (headers as Record<string, unknown> | undefined)?.Authorization;
  return typeof value === 'string' && value.startsWith('Bearer ') ? value.slice('Bearer '.length) : undefined;
}
