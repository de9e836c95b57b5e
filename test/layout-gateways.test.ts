import { expect, it } from '@jest/globals';
import { except, found, isDeployed, isTest, layerOf, SOURCES } from './sources.ts';

it('only the guards and the verb that sets modes ask for the mode of one namespace: whoever decides about a plan asks for its effective mode', () => {
  const readers = { 'shared/guards.ts': 'the effective mode', 'bin/verbs/mode.ts': 'shows what is set' };
  expect(
    found(
      except(
        SOURCES.filter((source) => !isTest(source)),
        readers,
      ),
      /\bmodeOf\b|`mode\/\$\{[^`]*namespace/,
    ),
  ).toEqual([]);
});

it('one module builds the paths of the Kubernetes API', () => {
  const readers = { 'events/exporter/audit/audit-path.ts': 'reads the paths of audit events; it builds none' };
  const builder = { 'events/api-path.ts': 'the one module' };
  const sources = SOURCES.filter((source) => (isDeployed(source) || layerOf(source.path) === 'bin') && !isTest(source));
  const literal = /['"`]\/?apis?['"`/?$]|\/apis?\/|\bnamespaces\/\$\{/;
  const others = except(sources, { ...readers, ...builder }).map((source) => ({
    ...source,
    // Imports of modules that are called api.ts, and Slack's address.
    code: source.code.replace(/from '[^']*'/g, '').replace(/'https:[^']*'/g, "''"),
  }));
  expect(found(others, literal)).toEqual([]);
  expect(found(except(sources, builder), /\bnew URL\(path\b/)).toEqual([]);
});

it('one module makes files and directories, and only their owner can read them', () => {
  const makers = {
    'events/private-files.ts': 'the one module',
    'infra/write-documentation.ts': 'writes pages of this repository',
    'bin/verbs/new.ts': 'writes source files for a person',
    'events/exporter/spool/segments.ts': 'opens a directory to sync it',
    'events/exporter/audit/log-file.ts': 'opens the log of the API server to read it',
  };
  const sources = SOURCES.filter((source) => (isDeployed(source) || /^bin\/.*\.ts$/.test(source.path)) && !isTest(source));
  const makes = /^(mkdir|writeFile|appendFile|copyFile|cp|open|symlink|link)(Sync)?$|^createWriteStream$|^\*/;
  const imported = except(sources, makers).flatMap(({ path, code }) =>
    [...code.matchAll(/import (?:type )?(\*[^;]*?|\{[^}]*\}|\w+) from 'node:fs(?:\/promises)?'/g)].flatMap(([, names = '']) =>
      names
        .replace(/[{}]/g, '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => makes.test(name) || !/^(type )?\w*$/.test(name))
        .map((name) => `${path}: ${name}`),
    ),
  );
  expect(imported).toEqual([]);
  const openers = except(sources, { 'events/private-files.ts': '', 'infra/write-documentation.ts': '', 'bin/verbs/new.ts': '' });
  expect(found(openers, /\bawait open\([^()]*, '(?!r')/)).toEqual([]);
});

it('one module writes to the terminal, so that nothing of a cluster acts on it', () => {
  const writers = { 'bin/terminal.ts': 'the one module', 'infra/lambda/log.ts': 'JSON lines for CloudWatch Logs' };
  const reader = { 'bin/environment.ts': 'asks what the terminal is' };
  const sources = SOURCES.filter((source) => (isDeployed(source) || /^bin\/.*\.ts$/.test(source.path)) && !isTest(source));
  const speaking =
    /\bconsole\b|\bstd(out|err)\b(?=[^:]*\.)\.(write|end|pipe)|process\.(stdout|stderr|_rawDebug)|\bwriteSync\(\s*[12]\b|node:(console|tty|readline)/;
  expect(found(except(sources, { ...writers, ...reader }), speaking)).toEqual([]);
  const [environment] = sources.filter(({ path }) => path === 'bin/environment.ts');
  expect(environment?.code.match(/process\.std\w+\.\w+/g)).toEqual([
    'process.stdin.isTTY',
    'process.stdout.isTTY',
    'process.stdout.columns',
  ]);
});
