import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scaffold } from '../scaffold.ts';
import { text, UsageError, type Verb } from '../verb.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = /^functions\/([a-z][a-z0-9-]*)\/([a-z][a-z0-9-]*)\/?$/;
const KIND = /^([a-z0-9]+)(?:\.([a-z0-9.-]+))?\/(v[a-z0-9]+)$/;

export const verb: Verb = {
  summary: 'begin a remediation: its definition, a sample of the failure, and a test that fails until it is written',
  usage: 'new functions/OPERATOR/FAILURE [--kind RESOURCE.GROUP/VERSION]',
  examples: ['kubemend new functions/strimzi/unpause-kafkas --kind kafkas.kafka.strimzi.io/v1beta2'],
  options: {
    kind: { type: 'string', help: 'what the failure is about, as in kafkas.kafka.strimzi.io/v1beta2 (default: widgets.example.com/v1)' },
  },
  positionals: { least: 1, most: 1 },
  async run(call) {
    const [folder = ''] = call.positionals;
    const [, operator, failure] = FOLDER.exec(folder) ?? [];
    if (!operator || !failure)
      throw new UsageError(`"${folder}" is no place for a remediation: functions/<operator>/<verb-the-broken-thing>, lower case`);
    if (operator === 'kubemend') throw new UsageError('functions/kubemend holds kubemend’s own functions: name the operator that fails');
    const [, resource, group = '', version] = KIND.exec(text(call, 'kind') ?? 'widgets.example.com/v1') ?? [];
    if (!resource || !version)
      throw new UsageError('--kind takes RESOURCE.GROUP/VERSION, as in kafkas.kafka.strimzi.io/v1beta2 or pods/v1');
    const directory = join(ROOT, 'functions', operator, failure);
    if (existsSync(join(directory, 'index.ts'))) throw new UsageError(`${folder} is there already`);
    const files = scaffold({ operator, failure, group, version, resource });
    await mkdir(directory, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    const made = Object.keys(files).map((name) => `functions/${operator}/${failure}/${name}`);
    if (call.json) call.out(JSON.stringify({ remediation: `${operator}/${failure}`, files: made }));
    else {
      for (const file of made) call.out(`made ${file}`);
      call.out(`Now describe the failure in sample.yaml, write index.ts, and run: npm run jest -- functions/${operator}/${failure}`);
      call.out('docs/writing-a-remediation.md leads from here to a fix that is verified in the sandbox.');
    }
    return 0;
  },
};
