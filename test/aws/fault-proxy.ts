import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One call of an AWS client: `dynamodb` `PutItem`, `scheduler` `POST /schedules/x`. */
export interface Call {
  service: string;
  action: string;
  body: string;
}

/**
 * What goes wrong with a call. `lost before`/`lost after`: no answer, and the connection ends, and the call did not or did take place;
 * `stale`: a read is answered what it was answered first; `error`: refused with this status and error code, nothing took place.
 */
export type Fault = 'lost before' | 'lost after' | 'stale' | { status: number; error: string };

/** Stands between the clients and moto. */
export interface FaultProxy {
  endpoint: string;
  calls: Call[];
  /** Asked at each call; undefined: nothing goes wrong. */
  intercept: (call: Call) => Fault | undefined | Promise<Fault | undefined>;
  stop(): Promise<void>;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Starts the proxy; what is lost is silent for `silence` milliseconds before the connection ends. A read of DynamoDB that does not ask for consistency is always answered what it was answered first: DynamoDB may. */
export async function startFaultProxy(target: string, silence: number): Promise<FaultProxy> {
  const first = new Map<string, Reply>();
  const proxy: FaultProxy = { endpoint: '', calls: [], intercept: () => undefined, stop };
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const body = await buffer(incoming);
    const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
    const action = `${headers['x-amz-target'] ?? ''}`.split('.')[1] ?? `${method} ${url.split('?')[0]}`;
    const call = { service, action, body: body.toString() };
    proxy.calls.push(call);
    const fault = await proxy.intercept(call);
    const lose = () => void setTimeout(() => outgoing.destroy(), silence).unref();
    if (fault === 'lost before') return lose();
    if (typeof fault === 'object') return refuse(outgoing, service, fault);
    const reply = await forward(new URL(url, target), { method, headers }, body);
    if (fault === 'lost after') return lose();
    const key = `${service} ${action} ${call.body}`;
    if (!first.has(key)) first.set(key, reply);
    const { status, headers: answered, body: content } = (isLax(call) || fault === 'stale' ? first.get(key) : undefined) ?? reply;
    outgoing.writeHead(status, answered).end(content);
  });
  async function stop() {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

const isLax = ({ service, action, body }: Call): boolean =>
  service === 'dynamodb' && ['GetItem', 'Query'].includes(action) && !/"ConsistentRead":true|"IndexName"/.test(body);

function refuse(outgoing: ServerResponse, service: string, { status, error }: { status: number; error: string }): void {
  const message = 'made to fail by the test';
  if (service === 's3') {
    const xml = `<Error><Code>${error}</Code><Message>${message}</Message></Error>`;
    outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  } else {
    outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': error });
    outgoing.end(JSON.stringify({ __type: error, message }));
  }
}

const forward = (url: URL, options: { method: string; headers: IncomingHttpHeaders }, body: Buffer): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const onward = request(url, options, async (answer) =>
      resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) }),
    );
    onward.on('error', reject).end(body);
  });
