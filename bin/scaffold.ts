/** What a new remediation is about. */
interface Subject {
  operator: string;
  failure: string;
  group: string;
  version: string;
  resource: string;
}

/** The files of a new remediation by name. It compiles and is deployed in shadow; its test fails until `examine` is written. */
export const scaffold = (subject: Subject): Record<string, string> => ({
  'index.ts': definition(subject),
  'sample.yaml': sample(subject),
  'index.test.ts': test(subject),
});

const definition = ({
  group,
  version,
  resource,
  failure,
}: Subject): string => `import { remediation } from '../../../shared/remediation.ts';
import { clear, report } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';

const KIND = { group: '${group}', version: '${version}', resource: '${resource}' };

export default remediation({
  title: '${sentence(failure)}',
  cause: { issue: 'owner/repository#0', affects: 'which versions', because: 'What the operator does wrong.' },
  // Name the fields that show the failure: only they leave the cluster, and only objects that have them are examined.
  when: whenObjectChanged(KIND),
  rights: [{ group: KIND.group, resources: [KIND.resource], verbs: ['get', 'list'] }],
  // Every field that the fix and its undo may change, and nothing else: the API server holds it to this, too.
  writes: [],

  async examine({ cluster, incident }) {
    const live = await cluster.get(incident.object);
    if (!live || live.metadata.deletionTimestamp) return clear('it is gone');
    // Prove that it is this failure, or answer clear, wait or report. Then: return fix('…', { evidence: allLive({ … }), steps: [mergePatch(targetOf(incident.object, live), { … }, '…')] })
    return report('nobody has written this examination yet');
  },
});
`;

const sample = ({
  group,
  version,
  resource,
}: Subject): string => `# The failure, as the API server holds it. Documents are created in this order; the last is the one that is examined.
# A second document of the same name is what the first becomes while kubemend watches.
apiVersion: ${group ? `${group}/` : ''}${version}
kind: ${kindOf(resource)}
metadata: { name: sample, namespace: sample }
spec: {}
status: {}
`;

const test = ({ operator, failure }: Subject): string => `import { describe, expect, it } from '@jest/globals';
import { playSample } from '../../../test/sample-world.ts';
import definition from './index.ts';

describe('${operator}/${failure}', () => {
  it('plans a fix for the sample, writes it once, and is clear afterwards', async () => {
    const { verdicts, state, writes } = await playSample(definition, new URL('sample.yaml', import.meta.url));
    expect(\`\${verdicts[0]?.kind}: \${verdicts[0]?.because}\`).toMatch(/^fix: /);
    expect({ state, writes: writes.length }).toEqual({ state: 'verified', writes: 1 });
  });

  it('writes nothing in shadow mode', async () => {
    const { writes } = await playSample(definition, new URL('sample.yaml', import.meta.url), 'shadow');
    expect(writes).toEqual([]);
  });
});
`;

/** `unpause-widgets` as `Unpause widgets`. */
const sentence = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');

/** A guess: `kafkas` is Kafka. */
const kindOf = (resource: string): string => resource.charAt(0).toUpperCase() + resource.slice(1).replace(/s$/, '');
