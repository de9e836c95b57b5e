import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { auditFile } from '../../events/exporter/audit/audit-file.ts';
import { readAuditEvent } from '../../events/exporter/audit/audit-record.ts';
import { eventually, readAudit } from '../../events/exporter/audit/testdata/audit-reading.ts';
import { Admin } from '../control-plane/admin.ts';
import { readAuditLog } from '../control-plane/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';

let plane: ControlPlane;
let admin: Admin;
beforeAll(async () => {
  plane = await startControlPlane({ flags: ['--audit-log-maxsize=1'] });
  admin = new Admin(plane.connection('admin', 'audit-log-test'));
}, 90_000);
afterAll(async () => {
  admin?.close();
  await plane?.stop();
}, 30_000);

const PATH = '/api/v1/namespaces/default/configmaps';
/** Parameters that the API server does not know are logged all the same: events of 8 kB fill a file of 1 MB soon. */
const PADDING = 'x'.repeat(7_000);
const write = async (from: number, to: number): Promise<void> => {
  const names = Array.from({ length: to - from + 1 }, (_, i) => `written-${from + i}`);
  for (const name of names) await admin.create(`${PATH}?padding=${PADDING}`, { metadata: { name } });
};

it('every event of a real API server is read, through its own rotations and a restart of the reader', async () => {
  const source = auditFile({ path: plane.auditLog, pollEvery: 5 });
  const first = readAudit(source);
  await write(1, 200);
  await eventually(() => first.ids.length > 100, first);
  const { checkpoint, ids } = await first.stop();
  await write(201, 500);
  const names = (await readdir(dirname(plane.auditLog))).filter((name) => /^audit.*\.log$/.test(name));
  expect(names.length).toBeGreaterThan(3);
  const lines = (await Promise.all(names.map((name) => readAuditLog(join(dirname(plane.auditLog), name))))).flat();
  const expected = lines.map((line) => (line as unknown as { auditID: string }).auditID);

  const second = readAudit(source, checkpoint);
  await eventually(() => new Set([...ids, ...second.ids]).size >= expected.length, second.ids.length);
  await second.stop();
  expect([...ids, ...second.ids].filter((id) => expected.includes(id)).sort()).toEqual(expected.sort());
  expect(second).toMatchObject({ dropped: {}, gaps: [], problems: [] });
  const created = [...first.batches, ...second.batches].flat().flatMap((event) => {
    const reading = readAuditEvent(event);
    return reading.kind === 'record' && reading.record.userAgent === 'audit-log-test' ? [reading.record.name] : [];
  });
  // At level Metadata the name of a new object is not in the event.
  expect(created.length).toBe(500);
}, 90_000);
