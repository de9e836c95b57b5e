import { expect, it } from '@jest/globals';
import { except, found, isDeployed, isTest, layerOf, SOURCES } from './sources.ts';

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
