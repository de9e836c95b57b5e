import { readFile } from 'node:fs/promises';
import { type Call, text } from './verb.ts';

/** Looks for a new certificate of the audit webhook; what to call again when some time has passed. The old one stays while the new one cannot be used. */
export function certificateWatch(call: Call, renew: (cert: string, key: string) => void): () => Promise<void> {
  const paths = [text(call, 'audit-cert'), text(call, 'audit-key')].filter((path) => path !== undefined);
  const read = () => Promise.all(paths.map((path) => readFile(path, 'utf8')));
  let known: string | undefined;
  return async () => {
    if (paths.length < 2) return;
    try {
      const [cert = '', key = ''] = await read();
      if (known !== undefined && known !== cert + key) {
        renew(cert, key);
        call.err('The audit webhook shows a new certificate.');
      }
      known = cert + key;
    } catch (error) {
      call.err(`The new certificate of the audit webhook cannot be used, the old one stays: ${(error as Error).message}`);
    }
  };
}
