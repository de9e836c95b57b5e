import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONFIRM_MISSING_MS } from '../../shared/attempt.ts';
import { Admin } from '../control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { loopbackCertificate } from '../loopback-certificate.ts';

/*
 * What `?timeout=` promises about a write, on the real API server: the ground that shared/attempt.ts stands on.
 */

const MAPS = '/api/v1/namespaces/default/configmaps';
let plane: ControlPlane;
let admin: Admin;
let webhook: Server;
/** Ends the admission requests that are held. */
const letGo: (() => void)[] = [];

beforeAll(async () => {
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'timeout-under-test'));
  const certificate = await loopbackCertificate('webhook');
  webhook = createServer(certificate, async (incoming, outgoing) => {
    const { request } = (await json(incoming)) as { request: { uid: string } };
    await new Promise<void>((resolve) => letGo.push(resolve));
    const response = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } };
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response));
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  for (const name of ['held', 'stopped']) await admin.create(MAPS, { metadata: { name, labels: { name } }, data: { n: '0' } });
  await admin.create('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
    metadata: { name: 'holds' },
    webhooks: [
      {
        name: 'holds.example.com',
        clientConfig: {
          url: `https://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
          caBundle: Buffer.from(certificate.cert).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['configmaps'] }],
        objectSelector: { matchLabels: { name: 'held' } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 30,
        failurePolicy: 'Ignore',
      },
    ],
  });
}, 120_000);

afterAll(async () => {
  for (const release of letGo) release();
  webhook.closeAllConnections();
  webhook.close();
  admin.close();
  await plane.stop();
}, 30_000);

/** 0: the API server dropped the connection, as it may do with a request that has timed out. For kubemend that is no answer either. */
const patch = async (name: string, n: string): Promise<number> => {
  const sent = admin.transport.send({
    method: 'PATCH',
    path: `${MAPS}/${name}?fieldManager=kubemend&timeout=1s`,
    contentType: 'application/merge-patch+json',
    body: { data: { n } },
  });
  return sent.then(({ status }) => status).catch(() => 0);
};
const UNANSWERED = [504, 0];

/** Reads again where the connection was one that the API server had dropped. */
async function stored(name: string): Promise<unknown> {
  for (const deadline = Date.now() + 20_000; ; await delay(50)) {
    try {
      return (await admin.get(`${MAPS}/${name}`)).data;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** The signal takes effect a moment after it was sent. */
async function isStopped(pid: number): Promise<void> {
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await delay(10);
}

describe('a write with ?timeout=', () => {
  it('that admission holds for longer is answered 504, and is not stored when admission lets it go', async () => {
    // The webhook is in force a moment after it was created.
    let status = await patch('held', '1');
    for (let n = 2; status === 200; n += 1) status = await patch('held', `${n}`);
    const before = await stored('held');
    expect(UNANSWERED).toContain(status);
    expect(letGo.length).toBeGreaterThan(0);
    for (const release of letGo.splice(0)) release();
    await delay(CONFIRM_MISSING_MS);
    expect(await stored('held')).toEqual(before);
  });

  it('that a stopped etcd holds may be stored when etcd goes on, but no more after a read that follows another', async () => {
    for (let n = 1; n <= 4; n += 1) {
      process.kill(plane.pids.etcd, 'SIGSTOP');
      await isStopped(plane.pids.etcd);
      const status = await patch('stopped', `${n}`).finally(() => process.kill(plane.pids.etcd, 'SIGCONT'));
      expect(UNANSWERED).toContain(status);
      await stored('stopped');
      await delay(1_000);
      const seen = await stored('stopped');
      await delay(1_000);
      expect(await stored('stopped')).toEqual(seen);
    }
  });
});
