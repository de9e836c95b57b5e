/** A GET to the API server with the answer as a stream; `Transport.open` fits. The caller ends it through `signal`. */
export type Open = (path: string, signal: AbortSignal, accept?: string) => Promise<{ status: number; body: AsyncIterable<Buffer> }>;

/** An answer that is no 200. */
export class StatusError extends Error {
  readonly status: number;

  constructor(path: string, status: number, body: string) {
    super(`GET ${path} answered ${status}${advice[status] ?? ''}: ${body.slice(0, 300)}`);
    this.name = 'StatusError';
    this.status = status;
  }
}

const advice: Record<number, string> = {
  401: ' (the exporter is not authenticated: check its token)',
  403: ' (the exporter lacks the right: check its ClusterRole)',
};

/** Reads one whole JSON answer. Throws StatusError for anything but 200. */
export async function getJson(open: Open, path: string, signal: AbortSignal, accept?: string): Promise<unknown> {
  const { status, body } = await open(path, signal, accept);
  const text = await readText(body);
  if (status !== 200) throw new StatusError(path, status, text);
  return JSON.parse(text);
}

/** The rest of an answer as text. */
export async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
