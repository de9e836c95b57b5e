import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientOptions, type Moto, startMoto } from '../../test/aws/moto.ts';
import { cached } from './cached.ts';
import { secretsContract } from './contract.ts';
import { FileSecrets } from './files.ts';
import { SecretsManagerSecrets } from './secrets-manager.ts';

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 180_000);
afterAll(() => moto.stop());

secretsContract('FileSecrets', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubemend-secrets-'));
  return {
    secrets: new FileSecrets(folder),
    async put(name, value) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), `${value}\n`);
    },
    close: () => rm(folder, { recursive: true }),
  };
});

let made = 0;
secretsContract('SecretsManagerSecrets on moto', async () => {
  made += 1;
  const prefix = `kubemend-${made}/`;
  const client = new SecretsManagerClient({ ...clientOptions(moto.endpoint), maxAttempts: 1 });
  return {
    secrets: new SecretsManagerSecrets({ client, prefix }),
    async put(name, value) {
      const create = new CreateSecretCommand({ Name: `${prefix}${name}`, SecretString: value });
      await client.send(create).catch(() => client.send(new PutSecretValueCommand({ SecretId: `${prefix}${name}`, SecretString: value })));
    },
    close: async () => client.destroy(),
  };
});

describe('cached secrets', () => {
  it('are asked for once in five minutes, also by many at once, and again at once after a failure', async () => {
    let now = 0;
    const answers: (() => Promise<string>)[] = [];
    let asked = 0;
    const secrets = cached({ get: () => answers[asked++]?.() ?? Promise.resolve(`value ${asked}`) }, () => now);
    answers.push(() => Promise.reject(new Error('throttled')));
    await expect(secrets.get('a')).rejects.toThrow('throttled');
    expect(await Promise.all([secrets.get('a'), secrets.get('a')])).toEqual(['value 2', 'value 2']);
    now = 299_999;
    expect(await secrets.get('a')).toBe('value 2');
    now = 300_000;
    expect(await secrets.get('a')).toBe('value 3');
    expect(await secrets.get('b')).toBe('value 4');
  });
});
