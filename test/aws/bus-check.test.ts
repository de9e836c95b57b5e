import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { busFinding } from '../../bin/doctor/bus-check.ts';
import { clientOptions, type Moto, startMoto } from './moto.ts';

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 180_000);
afterAll(() => moto?.stop(), 30_000);

it.each([
  ['default', { result: 'fine', says: expect.stringContaining(':event-bus/default is there') }],
  ['missing', { result: 'wrong', says: 'There is no bus missing in eu-west-1', fix: expect.stringContaining('deploy it') }],
])('doctor looks for the bus %s', async (bus, found) => {
  expect(await busFinding(bus, 'eu-west-1', new EventBridgeClient(clientOptions(moto.endpoint)))).toMatchObject({ check: 'bus', ...found });
});

it('doctor tells a bus that cannot be asked from one that is not there', async () => {
  const nowhere = new EventBridgeClient({ ...clientOptions('http://127.0.0.1:1'), maxAttempts: 1 });
  expect(await busFinding('default', 'eu-west-1', nowhere)).toMatchObject({
    result: 'wrong',
    fix: 'check the credentials and the network',
  });
});
