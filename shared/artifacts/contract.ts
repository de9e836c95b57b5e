import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Artifacts } from './artifacts.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Artifacts under test: `strimzi/0.43.0` with the text `shipped text` comes with kubemend, from `the release`. */
export interface ArtifactsUnderTest {
  /** Another process on the same store. */
  open(): Artifacts;
  /** Changes the stored text of the one own artifact behind kubemend's back. */
  tamper(): Promise<void>;
  /** Stores `text` under the name of the shipped one, as somebody does who writes to the store directly. */
  replaceShipped(text: string): Promise<void>;
  close(): Promise<void>;
}

/** What every store of `Artifacts` must do. */
export function artifactsContract(name: string, make: () => Promise<ArtifactsUnderTest>): void {
  describe(`${name} keeps the Artifacts contract:`, () => {
    let under: ArtifactsUnderTest;
    let artifacts: Artifacts;
    beforeEach(async () => {
      under = await make();
      artifacts = under.open();
    });
    afterEach(() => under.close());

    it('finds a shipped artifact, with its hash and source', async () => {
      expect(await artifacts.get('strimzi/0.43.0', sha256('shipped text'))).toBe('shipped text');
      expect(await artifacts.describe('strimzi/0.43.0')).toEqual({ sha256: sha256('shipped text'), source: 'the release' });
    });

    it('refuses to replace a shipped artifact', async () => {
      await expect(artifacts.put('strimzi/0.43.0', 'own text')).rejects.toThrow(
        'strimzi/0.43.0 ships with kubemend and cannot be replaced',
      );
      expect(await under.open().get('strimzi/0.43.0')).toBe('shipped text');
    });

    it('ignores a text that was stored under a shipped name behind its back: neither its hash nor its text is ever given', async () => {
      await under.replaceShipped('another text');
      const again = under.open();
      expect(await again.describe('strimzi/0.43.0')).toEqual({ sha256: sha256('shipped text'), source: 'the release' });
      expect(await again.get('strimzi/0.43.0')).toBe('shipped text');
      await expect(again.get('strimzi/0.43.0', sha256('another text'))).rejects.toThrow('it was replaced since');
      expect(await again.list('')).toEqual(['strimzi/0.43.0']);
    });

    it('finds what a person added, also after a restart', async () => {
      expect(await artifacts.put('strimzi/0.45.2', 'own text')).toEqual({ sha256: sha256('own text') });
      expect(await under.open().get('strimzi/0.45.2')).toBe('own text');
      expect(await artifacts.describe('strimzi/0.45.2')).toEqual({ sha256: sha256('own text') });
    });

    it('lists both by prefix, versions in their order', async () => {
      for (const name of ['strimzi/0.100.0', 'strimzi/0.9.0', 'backups/inc-1']) await artifacts.put(name, 'x');
      expect(await artifacts.list('strimzi/')).toEqual(['strimzi/0.9.0', 'strimzi/0.43.0', 'strimzi/0.100.0']);
      expect(await artifacts.list('')).toContain('backups/inc-1');
      expect(await artifacts.list('nothing/')).toEqual([]);
    });

    it('replaces a text', async () => {
      for (const text of ['first', 'second', 'second']) await artifacts.put('strimzi/1.2.0', text);
      expect(await artifacts.get('strimzi/1.2.0')).toBe('second');
      await artifacts.put('strimzi/1.2.0', 'first');
      expect(await under.open().get('strimzi/1.2.0', sha256('first'))).toBe('first');
    });

    it('refuses an unknown name and another hash than the pinned one', async () => {
      expect(await artifacts.describe('strimzi/0.45.2')).toBeUndefined();
      await expect(artifacts.get('strimzi/0.45.2')).rejects.toThrow('No artifact strimzi/0.45.2 is');
      await expect(artifacts.get('constructor')).rejects.toThrow('No artifact constructor is');
      await expect(artifacts.get('strimzi/0.43.0', sha256('other'))).rejects.toThrow(`${sha256('other')} was asked for`);
      await artifacts.put('strimzi/1.2.0', 'own text');
      await expect(artifacts.get('strimzi/1.2.0', sha256('other'))).rejects.toThrow('it was replaced since');
    });

    it('refuses a tampered own text', async () => {
      await artifacts.put('strimzi/1.2.0', 'own text');
      await under.tamper();
      await expect(artifacts.get('strimzi/1.2.0')).rejects.toThrow('Artifact strimzi/1.2.0 was changed');
    });

    it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/', '', '.', 'a/.hidden', 'a\\b', 'a\0b', 'x'.repeat(201)])(
      'refuses the name %j everywhere',
      async (name) => {
        for (const attempt of [artifacts.get(name), artifacts.put(name, 'x'), artifacts.describe(name)]) {
          await expect(attempt).rejects.toThrow('cannot name an artifact');
        }
      },
    );

    it('two writers at once lose nothing', async () => {
      const names = Array.from({ length: 20 }, (_, number) => `backups/incident-${number}`);
      const other = under.open();
      await Promise.all(names.map((name, number) => (number % 2 ? artifacts : other).put(name, name)));
      expect(await artifacts.list('backups/')).toEqual(names);
      expect(await Promise.all(names.map((name) => other.get(name)))).toEqual(names);
    });
  });
}
