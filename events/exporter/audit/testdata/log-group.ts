import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

/** One event in the group; `arrives` hides it until then. Times in milliseconds. */
export interface Stored {
  eventId: string;
  timestamp: number;
  message: string;
  arrives?: number;
}

/** What FilterLogEvents was asked. */
export interface Asked {
  logGroupName: string;
  logStreamNamePrefix: string;
  startTime: number;
  endTime: number;
  nextToken?: string;
}

/** A local HTTP server that answers FilterLogEvents from `stored`, in pages; what `refuse` answers takes precedence. */
export interface LogGroup {
  client: CloudWatchLogsClient;
  stored: Stored[];
  asked: Asked[];
  close(): Promise<void>;
}

/** How it behaves, call by call, counted from 1. */
export interface Behaviour {
  now(): number;
  pageSize?: number;
  /** An AWS error to answer with instead. */
  refuse?(call: number, asked: Asked): { status: number; type: string; message: string } | undefined;
  /** Replaces the token of the next page. */
  token?(next: string | undefined, call: number): string | undefined;
}

/** Starts one on a free port. */
export async function startLogGroup({ now, pageSize = 10, refuse, token = (next) => next }: Behaviour): Promise<LogGroup> {
  const stored: Stored[] = [];
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const input = (await json(request)) as Asked;
    asked.push(input);
    const error = refuse?.(asked.length, input);
    response.writeHead(error?.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
    if (error) return response.end(JSON.stringify({ __type: error.type, message: error.message }));
    const { startTime, endTime, nextToken = '0' } = input;
    const found = stored
      .filter(({ timestamp, arrives = 0 }) => timestamp >= startTime && timestamp <= endTime && arrives <= now())
      .sort((a, b) => a.timestamp - b.timestamp)
      .map(({ arrives, ...event }) => ({ ...event, ingestionTime: arrives ?? event.timestamp, logStreamName: 'kube-apiserver-audit-1' }));
    const from = Number(nextToken);
    const next = token(from + pageSize < found.length ? `${from + pageSize}` : undefined, asked.length);
    response.end(JSON.stringify({ events: found.slice(from, from + pageSize), ...(next && { nextToken: next }) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new CloudWatchLogsClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const close = async (): Promise<void> => {
    client.destroy();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { client, stored, asked, close };
}
