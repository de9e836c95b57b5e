// `npm run chart`: writes what the Helm chart takes from the definitions.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRules } from '../remediations.ts';
import { chartFiles } from './chart-files.ts';

for (const [path, text] of Object.entries(chartFiles(await loadRules()))) {
  writeFileSync(join(import.meta.dirname, 'chart', path), text);
  console.log(`infra/kubernetes/chart/${path}`);
}
