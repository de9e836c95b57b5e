import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Rule } from '../events/exporter/reduce/rules.ts';
import { complete, type Definition, type Limits, type Remediation } from '../shared/remediation.ts';

const ROOT = join(import.meta.dirname, '../functions');
/** Functions of kubemend itself: no failure patterns. */
const OWN = 'kubemend';

/** The names of all remediations: their folders under `functions/`, `<operator>/<failure>`. */
export function remediationNames(root = ROOT): string[] {
  const folders = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  return folders(root)
    .filter((operator) => operator !== OWN)
    .flatMap((operator) => folders(join(root, operator)).map((failure) => `${operator}/${failure}`))
    .filter((name) => existsSync(join(root, name, 'index.ts')))
    .sort();
}

/** Loads every remediation there is. `overrides` replaces limits by remediation name. */
export async function loadRemediations(overrides: Record<string, Partial<Limits>> = {}, root = ROOT): Promise<Remediation[]> {
  const names = remediationNames(root);
  const unknown = Object.keys(overrides).find((name) => !names.includes(name));
  if (unknown) throw new Error(`There is no remediation "${unknown}"; there are: ${names.join(', ')}`);
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(pathToFileURL(join(root, name, 'index.ts')).href)) as { default?: Definition };
      if (!module.default) throw new Error(`functions/${name}/index.ts has no default export: export default remediation({ … })`);
      return complete(name, module.default, overrides[name]);
    }),
  );
}

/** What all remediations want to hear of: the exporter's filter, and so its rights. */
export const loadRules = async (): Promise<Rule[]> =>
  (await loadRemediations()).flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
