import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { parseAuditLines } from '../../events/exporter/audit/audit-lines.ts';
import { auditSelector } from '../../events/exporter/audit/audit-selector.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { AUDIT_POLICY, sendAuditRequests } from '../fixtures/audit-requests.ts';

const RESOURCES = [
  { group: '', resource: 'configmaps' },
  { group: 'apps', resource: 'deployments' },
];
const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
interface AuditEvent {
  auditID: string;
  stage: string;
  verb: string;
  objectRef?: { apiGroup?: string; resource: string };
}
const isWanted = ({ stage, verb, objectRef }: AuditEvent): boolean =>
  (stage === 'ResponseComplete' || stage === 'Panic') &&
  WRITES.includes(verb) &&
  RESOURCES.some(({ group, resource }) => group === (objectRef?.apiGroup ?? '') && resource === objectRef?.resource);
const idsOf = (events: unknown[]): string[] => (events as AuditEvent[]).filter(isWanted).map(({ auditID, stage }) => `${auditID} ${stage}`);

let plane: ControlPlane;
const bodies: Buffer[] = [];
let closeReceiver = () => {};

beforeAll(async () => {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
  const extensions = [
    { name: 'basicConstraints' as const, cA: true },
    { name: 'subjectAltName' as const, altNames },
  ];
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], { extensions });
  const receiver = createServer({ key: pem.private, cert: pem.cert }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks));
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  closeReceiver = () => {
    receiver.close();
    receiver.closeAllConnections();
  };
  const policy = join(tmpdir(), `kubemend-audit-policy-${process.pid}.yaml`);
  await writeFile(policy, AUDIT_POLICY);
  const url = `https://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  plane = await startControlPlane({ flags: [`--audit-policy-file=${policy}`], auditWebhook: { url, ca: pem.cert } });
}, 120_000);

afterAll(async () => {
  await plane?.stop();
  closeReceiver();
}, 20_000);

it("selects the same as JSON.parse from a real API server's log and from what it sends, whatever is requested", async () => {
  const statuses = await sendAuditRequests(plane);
  expect(statuses.filter((status) => status < 300).length).toBeGreaterThan(30);
  expect(statuses.filter((status) => status >= 400).length).toBeGreaterThan(20);

  const selector = auditSelector(RESOURCES);
  const log = await readFile(plane.auditLog);
  const reference = parseAuditLines(log.subarray(0, log.lastIndexOf(10) + 1)).events;
  const selected = selector.lines(log.subarray(0, log.lastIndexOf(10) + 1));
  expect(idsOf(selected.events)).toEqual(idsOf(reference));
  expect(idsOf(reference).length).toBeGreaterThan(25);
  // It did not just parse everything.
  expect(selected.events.length).toBeLessThan(reference.length / 3);

  const last = idsOf(reference).at(-1) as string;
  const sent = () => bodies.flatMap((body) => (JSON.parse(body.toString('utf8')) as { items: AuditEvent[] }).items);
  while (!idsOf(sent()).includes(last)) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const body of bodies) {
    const { items } = JSON.parse(body.toString('utf8'));
    const list = selector.list(body);
    expect(list).toBeDefined();
    expect(idsOf(list?.events ?? [])).toEqual(idsOf(items));
  }
}, 60_000);
