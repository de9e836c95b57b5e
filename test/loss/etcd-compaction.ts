import { request } from 'node:http';
import { join } from 'node:path';

/** Makes etcd forget everything before `revision`, which is what a resourceVersion is. `directory`: of the control plane. */
export async function compactEtcd(directory: string, revision: string): Promise<void> {
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const socketPath = join(directory, 'etcd.sock:0');
    request({ socketPath, path: '/v3/kv/compaction', method: 'POST' }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
    })
      .once('error', reject)
      .end(JSON.stringify({ revision, physical: true }));
  });
  if (status !== 200) throw new Error(`etcd did not compact up to ${revision}: ${status} ${text}`);
}
