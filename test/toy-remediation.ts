import type { Json } from '../shared/canonical.ts';
import { allLive } from '../shared/evidence.ts';
import type { KubernetesObject, Reference } from '../shared/kubernetes/object.ts';
import { apply, jsonPatch, mergePatch, type Step, targetOf } from '../shared/plan.ts';
import { type Definition, type Examination, type Limits, remediation } from '../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../shared/verdict.ts';
import { atLeast, whenObjectChanged, whenWritesCounted } from '../shared/when.ts';
import { ANYTHING, type Write } from '../shared/write.ts';

/** The collection the toy lives in. */
export const WIDGETS = '/apis/example.com/v1/widgets';

/** The pinned documents of the `apply` kind. */
export const DOCUMENTS = new Map(
  ['blue', 'green'].map((color) => [
    `widgets/${color}`,
    `apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: shop}\nspec: {color: ${color}}\n`,
  ]),
);

/** Which toy: how it writes, whether it also mends widget `b`, and what else it says. */
export interface Toy {
  kind?: 'merge-patch' | 'json-patch' | 'apply';
  twoSteps?: boolean;
  limits?: Partial<Limits>;
  /** Answers instead of the toy's own verdict, when it answers. */
  instead?: (examination: Examination) => Verdict | undefined | Promise<Verdict | undefined>;
  /** What it declares, instead of everything that the tests let it write. */
  writes?: Write[];
}

const KIND = { group: 'example.com', resource: 'widgets' };
const worst = 'paint widgets';
/** Any spec and annotations, and widgets that come and go. */
const TOY_WRITES: Write[] = [
  ...(['patch', 'apply'] as const).map((operation) => ({
    ...{ operation, ...KIND, worst },
    changes: { '/spec': ANYTHING, '/metadata/annotations': ANYTHING },
  })),
  { operation: 'create', ...KIND, worst, fields: { '/metadata': ANYTHING, '/spec': ANYTHING } },
  { operation: 'delete', ...KIND, worst, before: {} },
];
const widget = (name: string): Reference => ({ ...KIND, version: 'v1', namespace: 'shop', name });

/** Where a widget is stored. */
export const widgetPath = (name: string): string => `/apis/example.com/v1/namespaces/shop/widgets/${name}`;

/** A widget that is red is the failure; the fix paints it blue (or as `spec.wish` says). `status.broken` is a failure blue does not help. */
export const mendWidgets = ({ kind = 'merge-patch', twoSteps = false, instead, writes }: Toy): Definition =>
  remediation({
    title: 'Paint red widgets blue',
    cause: { issue: 'example/widgets#1', affects: 'all', because: 'red is an error' },
    when: [whenObjectChanged(KIND), whenWritesCounted(KIND, '60s', { writes: atLeast(3) })],
    rights: [{ group: 'example.com', resources: ['widgets'], verbs: ['get'] }],
    writes: writes ?? TOY_WRITES,
    limits: { perObject: { executions: 2, within: '24h' } },
    async examine(examination) {
      const other = await instead?.(examination);
      if (other) return other;
      const { cluster, incident } = examination;
      const live = await cluster.get(widget('a'));
      if (!live || live.metadata.uid !== incident.object.uid) return clear('the widget is gone');
      const { color, wish = 'blue', shade = 'plain' } = live.spec as Record<string, Json>;
      const second = twoSteps ? await cluster.get(widget('b')) : undefined;
      const red = [live, second].filter((object) => object?.spec?.color === 'red') as KubernetesObject[];
      if (red.length > 0) {
        const steps = red.map((object) => paint(kind, object, wish));
        return fix('the widget is red', { evidence: allLive({ color: color ?? null, shade }), steps });
      }
      if (live.status?.broken === true) return report('the widget is blue and still broken', { advice: ['Look at it'] });
      return live.status?.slow === true ? wait('the widget is drying', '10s') : clear('the widget is not red');
    },
  });

function paint(kind: NonNullable<Toy['kind']>, object: KubernetesObject, wish: Json): Step {
  const target = targetOf(widget(object.metadata.name), object);
  const operations = [
    { op: 'test' as const, path: '/spec/color', value: 'red' },
    { op: 'replace' as const, path: '/spec/color', value: wish },
  ];
  if (kind === 'json-patch') return jsonPatch(target, operations, 'red is an error');
  if (kind === 'apply') return apply(target, { artifact: `widgets/${wish}`, sha256: 'pinned' }, 'red is an error');
  return mergePatch(target, { spec: { color: wish } }, 'red is an error');
}
