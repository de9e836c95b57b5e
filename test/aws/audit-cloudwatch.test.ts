import { setTimeout as delay } from 'node:timers/promises';
import { CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { auditCloudwatch } from '../../events/exporter/audit/audit-cloudwatch.ts';
import { auditLine, eventually, readAudit } from '../../events/exporter/audit/testdata/audit-reading.ts';
import { clientOptions, type Moto, startMoto } from './moto.ts';

const logGroupName = '/aws/eks/shop/cluster';
let moto: Moto;
let client: CloudWatchLogsClient;
beforeAll(async () => {
  moto = await startMoto();
  client = new CloudWatchLogsClient(clientOptions(moto.endpoint));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
}, 30_000);

const put = async (logStreamName: string, from: number, to: number): Promise<void> => {
  const logEvents = Array.from({ length: to - from + 1 }, (_, i) => ({
    timestamp: Date.now() - 30_000 + i,
    message: auditLine(from + i).trim(),
  }));
  await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
};

it('reads the audit streams of a log group as AWS (moto) keeps it', async () => {
  const reading = readAudit(auditCloudwatch({ client, cluster: 'shop', pollEvery: 1, sweepEvery: 1 }), undefined, {
    wait: async (_, signal) => delay(5, undefined, { signal }).catch(() => {}),
  });
  await eventually(() => reading.problems.length > 0, reading);
  expect(reading.problems).toEqual([expect.stringContaining('aws eks update-cluster-config --name shop')]);
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  const streams = ['kube-apiserver-audit-1', 'kube-apiserver-audit-2', 'authenticator-3'];
  for (const logStreamName of streams) await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  // More than a page of moto.
  for (const [i, stream] of streams.entries()) await put(stream, i * 10_000 + 1, i * 10_000 + 7_000);
  await eventually(() => reading.ids.length >= 14_000, reading.ids.length);
  await put('kube-apiserver-audit-2', 50_001, 50_002);
  await eventually(() => reading.ids.length >= 14_002, reading.ids.length);
  await reading.stop();
  expect(reading.ids.length).toBe(14_002);
  expect(new Set(reading.ids).size).toBe(14_002);
  expect(reading.ids.some((id) => Number(id) > 20_000 && Number(id) < 30_000)).toBe(false);
  expect(reading).toMatchObject({ dropped: {}, gaps: [] });
}, 60_000);
