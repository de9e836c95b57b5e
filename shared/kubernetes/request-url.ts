import { InvalidPathError } from '../../events/api-path.ts';

/**
 * The address of a request. A server may have a path of its own (Rancher: `https://host/k8s/clusters/c-1`), which every request keeps. Throws
 * InvalidPathError when the URL would name another path: `..` in it, or an encoded form of that.
 */
export function requestUrl(server: string, path: string): URL {
  const base = new URL(server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const wanted = `${prefix}${path}`;
  const url = new URL(`${base.origin}${wanted}`);
  if (!path.startsWith('/') || `${url.pathname}${url.search}` !== wanted)
    throw new InvalidPathError(`${JSON.stringify(path.slice(0, 200))} is not a path of the API in its normal form`);
  return url;
}
