import { describe, expect, it } from '@jest/globals';
import { CREDENTIAL_TEXTS, LOOK_ALIKES } from '../test/fixtures/credential-texts.ts';
import { assignmentsIn } from './credential-assignments.ts';
import { FORMS } from './credential-forms.ts';
import { encodedIn, urlUsersIn } from './credential-places.ts';
import { credentialsIn } from './credentials.ts';
import { knownSecretsIn } from './known-secrets.ts';
import { loadRedaction } from './redaction.ts';

const { object: redact } = await loadRedaction(Buffer.alloc(32, 7));

describe('a credential in a text', () => {
  it('is planted in more than a hundred forms', () => {
    expect(new Set(CREDENTIAL_TEXTS.map(([form]) => form)).size).toBeGreaterThan(100);
  });

  it.each(CREDENTIAL_TEXTS)('is gone: %s', (_, text, ...secrets) => {
    const kept = JSON.stringify(redact({ kind: 'Widget', status: { message: text }, list: [`before\n${text}\nafter`] }));
    for (const secret of secrets) {
      expect(text).toContain(secret);
      expect(kept).not.toContain(JSON.stringify(secret).slice(1, -1));
      // Nor a good part of it.
      for (let at = 0; at + 12 <= secret.length; at += 4) expect(kept).not.toContain(secret.slice(at, at + 12));
    }
    expect(kept).toContain('redacted-');
    expect(kept).toMatch(/before\\n/);
  });
});

describe('a text that only looks alike', () => {
  it.each(LOOK_ALIKES)('stays: %s', (text) => {
    expect(redact({ status: { message: text } })).toEqual({ status: { message: text } });
  });
});

it('A text with more than 1,000 credentials becomes one mark', () => {
  expect(redact({ a: 'password=x1 '.repeat(1_001) })).toEqual({ a: expect.stringMatching(/^redacted-\w{12}$/) });
});

describe('time is linear in the text, whatever whoever may annotate an object writes', () => {
  const MEGABYTE = 1_000_000;
  /** Beginnings of what the patterns look for, repeated without their ends; of the attack on the old patterns, and of each pattern of today. */
  const units = [
    ...['eyJaaaaa-', 'eyJaaaaa.', 'eyJ', '://a:', '://', '://a@', 'bearer ', 'Bearer aaaaaaaa', 'Basic a', 'Basic a-', 'H4sI', 'AKIA'],
    ...[
      '-----BEGIN A',
      '-----BEGIN A-----',
      '---- BEGIN SSH2 A ----',
      '-----BEGIN PRIVATE KEY-----\n',
      '"a.token"  ',
      '"a',
      'password=',
      'pwd="',
    ],
    ...[
      '?sig=',
      'password:         ',
      "password='",
      'password=\\"',
      'password: |\n',
      'password: |\n ',
      '-token',
      '--token ',
      '--a',
      '-',
      '=',
      ':',
      '<a>',
      '<password>',
    ],
    ...[
      'aaaaaaaa',
      'a.',
      'a-',
      'a:',
      'a@',
      'a:a@',
      'a ',
      ' ',
      '\n',
      '\\',
      '"',
      "'",
      '%3D',
      'password%3D',
      '&',
      'xoxb-',
      'xoxb-a-',
      'SG.a',
      'SG.aaaa.',
    ],
    ...[
      'mysql ',
      'mysql -p',
      'curl ',
      'curl -u',
      'redis-cli ',
      'login a password ',
      'IDENTIFIED BY ',
      "PASSWORD '",
      'requirepass ',
      '$6$',
      '{SSHA}',
    ],
    ...[
      'LS0tLS1CRUdJTi',
      'YWRhOmFkYQ==',
      'cGFzc3dvcmQ6',
      'https://hooks.slack.com/',
      'mongodb://a:a@a/',
      'https://a:x-oauth-basic',
      'SECRET_ACCESS_KEY ',
      'a'.repeat(39).concat(' '),
      'a'.repeat(15).concat(' '),
    ],
  ];
  const spent = (search: () => unknown): number => {
    const begin = process.threadCpuUsage();
    search();
    const { user, system } = process.threadCpuUsage(begin);
    return (user + system) / 1_000;
  };
  const searches: Record<string, (text: string) => unknown> = {
    ...Object.fromEntries(FORMS.map((form) => [String(form).slice(0, 60), (text: string) => [...text.matchAll(form)]])),
    assignments: assignmentsIn,
    'users of URLs': urlUsersIn,
    encoded: (text) => encodedIn(text, (inner) => credentialsIn(inner, [], 2), 0),
    secretlint: knownSecretsIn,
    all: (text) => credentialsIn(text, [knownSecretsIn]),
  };

  it.each(Object.entries(searches))('of %s', (_, search) => {
    for (const unit of units) {
      const text = unit.repeat(Math.ceil(MEGABYTE / unit.length));
      // Processor time of this thread, so load beside it does not count; once more if something else of this process got in between.
      const growth = () =>
        spent(() => search(text)) /
        Math.max(
          spent(() => search(text.slice(0, MEGABYTE / 8))),
          2,
        );
      // Linear is 8, quadratic is 64.
      let least = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3 && least > 24; attempt += 1) least = Math.min(least, growth());
      expect({ unit, isLinear: least <= 24 }).toEqual({ unit, isLinear: true });
    }
  });
});
