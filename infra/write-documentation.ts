import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { indexOf, PAGES, pageName, pageOf, THREAT_MODEL } from './documentation.ts';
import { loadRemediations } from './remediations.ts';
import { threatModelOf } from './threat-model.ts';

// `npm run docs`: the pages of docs/remediations/ from the definitions.
const remediations = await loadRemediations();
mkdirSync(PAGES, { recursive: true });
for (const file of readdirSync(PAGES)) rmSync(join(PAGES, file));
for (const one of remediations) writeFileSync(join(PAGES, pageName(one)), pageOf(one));
writeFileSync(join(PAGES, 'README.md'), indexOf(remediations));
writeFileSync(THREAT_MODEL, threatModelOf(readFileSync(THREAT_MODEL, 'utf8'), remediations));
