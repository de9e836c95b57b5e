import { join } from 'node:path';
import type { Limits, Remediation, Right } from '../shared/remediation.ts';
import { describeWrite } from './kubernetes/describe-write.ts';
import { merge } from './kubernetes/rbac.ts';

/** Where the pages are. */
export const PAGES = join(import.meta.dirname, '../docs/remediations');

/** The page whose lists are generated. */
export const THREAT_MODEL = join(import.meta.dirname, '../docs/threat-model.md');

/** `strimzi-upgrade-stale-crds.md` */
export const pageName = ({ name }: Pick<Remediation, 'name'>): string => `${name.replace('/', '-')}.md`;

/** The page of a remediation, all of it from its definition. */
export function pageOf(remediation: Remediation): string {
  const { name, title, cause, when, rights, limits, scan, risks = [] } = remediation;
  return `${[
    `# ${title}`,
    '',
    `\`${name}\` · ${linked(cause.issue)}`,
    '',
    `**Why it happens.** ${cause.because}`,
    '',
    `**What is affected.** ${cause.affects}`,
    '',
    '## When it looks',
    '',
    'On events that match this rule (the exporter sends no other, and of the objects no field that is not named here):',
    '',
    ...when.flatMap((pattern) => ['```json', json(pattern), '```', '']),
    `\`kubemend scan\` asks it about every object of its kinds${scan?.kinds ? ` (${scan.kinds.map(({ group, resource }) => `\`${resource}${group && `.${group}`}\``).join(', ')})` : ''}${scan?.latent ? ', also before anything hurts' : ''}.`,
    '',
    '## What it may do in the cluster',
    '',
    '| group | resources | verbs |',
    '|---|---|---|',
    ...merge(rights).map(rowOf),
    '',
    ...writesOf(remediation),
    'In shadow mode only reading is granted. `kubemend rights` prints the RBAC and the admission policy. What a stolen token can do: [threat model](../threat-model.md).',
    '',
    ...(risks.length > 0 ? ['## What remains possible', '', ...risks.map((risk) => `- ${risk}`), ''] : []),
    '## Limits',
    '',
    ...limitsOf(limits),
    '',
    `Written by \`npm run docs\` from [\`functions/${name}/index.ts\`](../../functions/${name}/index.ts); a change here is lost.`,
  ].join('\n')}\n`;
}

/** The list of all pages. */
export const indexOf = (remediations: Remediation[]): string =>
  `${['# The failures kubemend knows', '', ...remediations.map((one) => `- [${one.title}](${pageName(one)}): ${one.cause.affects}`), '', 'Written by `npm run docs`; a change here is lost.'].join('\n')}\n`;

function rowOf({ group, resources, names, pinned, verbs }: Right): string {
  const pin = names
    ? `, only ${names.map((name) => `\`${name}\``).join(', ')}`
    : pinned
      ? `, only the objects that are named (\`--pin ${pinned}=…\`)`
      : '';
  return `| ${group ? `\`${group}\`` : 'core'} | ${resources.map((resource) => `\`${resource}\``).join(', ')}${pin} | ${verbs.join(', ')} |`;
}

/** What the table cannot say: which fields. */
const writesOf = ({ writes }: Remediation): string[] =>
  writes.length === 0
    ? []
    : [
        'Of these writes the engine and the API server accept only the following:',
        '',
        ...writes.map((write) => `- ${describeWrite(write)}`),
        '',
      ];

const limitsOf = ({
  confirmAfter,
  settleWithin,
  stableFor,
  verifyWithin,
  expireAfter,
  perObject,
  perRemediation,
  breakers,
}: Limits): string[] => [
  `- The plan must be the same after ${confirmAfter}; it may be approved and carried out for ${expireAfter}.`,
  `- After the write, ${settleWithin} of known after-effects; then it must stay clear for ${stableFor}, within ${verifyWithin}, or the fix counts as ineffective.`,
  `- At most ${perObject.executions} executions on one object in ${perObject.within}, ${perRemediation.executions} in one cluster in ${perRemediation.within}.`,
  `- After ${breakers.object} ineffective fixes on one object, or ${breakers.remediation} of this remediation, nothing is written until a person says so.`,
];

/** Indented, with what fits on a line on one. */
function json(value: unknown, indent = ''): string {
  const flat = JSON.stringify(value);
  if (flat.length + indent.length < 100 || typeof value !== 'object' || value === null)
    return flat.replaceAll(/(?<=[,:])(?=["[{\d])/g, ' ');
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((item) => `${inner}${json(item, inner)}`)
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${json(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

/** `owner/repository#1` as a link. */
const linked = (text: string): string => text.replace(/\b([\w.-]+\/[\w.-]+)#(\d+)\b/g, '[$1#$2](https://github.com/$1/issues/$2)');
