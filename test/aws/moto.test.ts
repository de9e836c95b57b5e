import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, ListEventBusesCommand } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from '@jest/globals';
import { clientOptions, startMoto } from './moto.ts';
import { findPython } from './python-packages.ts';

describe('moto', () => {
  it('answers over HTTP until it is stopped, and takes the time it is given', async () => {
    const moto = await startMoto();
    const client = new EventBridgeClient({ ...clientOptions(moto.endpoint), maxAttempts: 1 });
    const { EventBuses } = await client.send(new ListEventBusesCommand({}));
    expect(EventBuses?.map(({ Name }) => Name)).toEqual(['default']);
    await moto.setTime(1_000);
    await moto.setTime(2_000);
    await moto.stop();
    await expect(client.send(new ListEventBusesCommand({}))).rejects.toThrow('ECONNREFUSED');
    client.destroy();
  }, 180_000);

  it('is installed by a sentence that names what is missing', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'kubemend-python-'));
    const env = { XDG_CACHE_HOME: cache, PATH: cache };
    await expect(findPython({ name: 'moto', progress: () => {}, env })).rejects.toThrow(
      /there is no python3 on the PATH\. Install Python 3\.11 or newer with venv and pip/,
    );
    await rm(cache, { recursive: true });
  });
});
