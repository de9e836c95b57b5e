import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Secrets } from './secrets.ts';

/** A store of secrets under test, and how a person puts one there. */
export interface SecretsUnderTest {
  secrets: Secrets;
  put(name: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** What every `Secrets` must do. */
export function secretsContract(name: string, make: () => Promise<SecretsUnderTest>): void {
  describe(`${name} keeps the Secrets contract:`, () => {
    let under: SecretsUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    it('a secret is what was put last', async () => {
      await under.put('slack/token', 'xoxb-ümlaut');
      expect(await under.secrets.get('slack/token')).toBe('xoxb-ümlaut');
      await under.put('slack/token', 'rotated');
      expect(await under.secrets.get('slack/token')).toBe('rotated');
    });

    it('one that is not there is an error that names it', async () => {
      await under.put('slack/token', 'value');
      for (const missing of ['slack/other', 'slack', 'token'])
        await expect(under.secrets.get(missing)).rejects.toThrow(`The secret ${missing} cannot be read`);
    });

    it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/.hidden', 'a\\b', 'a\0b'])('refuses the name %j', async (bad) => {
      await expect(under.secrets.get(bad)).rejects.toThrow('cannot name a secret');
    });

    it('shows no value to who looks at it', async () => {
      await under.put('slack/token', 'hunter2');
      await under.secrets.get('slack/token');
      expect(inspect(under.secrets, { depth: 9, showHidden: true })).not.toContain('hunter2');
      expect(JSON.stringify(under.secrets)).not.toContain('hunter2');
    });
  });
}
