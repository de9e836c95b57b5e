import type { Draft } from '../../control-plane/admin.ts';

type Schema = Record<string, unknown>;
const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const whole: Schema = { type: 'integer', format: 'int32' };
const names: Schema = { type: 'array', items: text };
const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  'x-kubernetes-preserve-unknown-fields': true,
  ...more,
});
const listMap = (key: string, items: Schema): Schema => ({
  type: 'array',
  items: { ...items, required: [key] },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
});
const immutable = (field: string, schema: Schema): Schema => ({
  ...schema,
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: `forbidden to update spec.${field}` }],
});

const instances = listMap('name', object({ name: text, replicas: { ...whole, default: 1 }, ordinals: open }));
const component = object({
  name: text,
  componentDef: text,
  replicas: whole,
  instances,
  offlineInstances: names,
  stop: flag,
  resources: open,
});

const scaling = object({
  componentName: text,
  shards: whole,
  scaleOut: object({ replicaChanges: whole, offlineInstancesToOnline: names }),
  scaleIn: object({ replicaChanges: whole, onlineInstancesToOffline: names }),
});

/** Only these two can be cancelled: the rule of the real definition. */
const CANCEL = {
  rule: "has(self.cancel) && self.cancel ? (self.type in ['VerticalScaling', 'HorizontalScaling']) : true",
  message: 'forbidden to cancel the opsRequest which type not in [VerticalScaling,HorizontalScaling]',
};

/** The definitions of KubeBlocks that the operation and its Cluster need: lists and rules as the real ones have them, the rest is open. */
export function kubeBlocksCrds(generation: '0.9' | '1.x'): Draft[] {
  const apps = generation === '1.x' ? 'v1' : 'v1alpha1';
  const opsGroup = generation === '1.x' ? 'operations.kubeblocks.io' : 'apps.kubeblocks.io';
  const shardings = listMap('name', object({ name: text, shards: whole, template: component }));
  // `componentSpecs` has no list type: it is atomic, and a merge patch replaces all of it.
  const cluster = object({
    componentSpecs: { type: 'array', items: component, maxItems: 128 },
    ...(generation === '1.x' ? { shardings } : { shardingSpecs: shardings }),
    terminationPolicy: text,
  });
  const opsRequest = object(
    {
      clusterName: immutable('clusterName', text),
      type: immutable('type', text),
      force: immutable('force', flag),
      horizontalScaling: immutable('horizontalScaling', { ...listMap('componentName', scaling), maxItems: 16 }),
      cancel: flag,
      enqueueOnForce: { ...flag, default: false },
      preConditionDeadlineSeconds: { ...whole, default: 0 },
      timeoutSeconds: whole,
    },
    { 'x-kubernetes-validations': [CANCEL], required: ['type'] },
  );
  const instanceSet = object({ replicas: whole, instances, offlineInstances: names, paused: flag });
  return [
    definition(opsGroup, 'v1alpha1', 'OpsRequest', 'opsrequests', opsRequest),
    definition('apps.kubeblocks.io', apps, 'Cluster', 'clusters', cluster),
    definition('apps.kubeblocks.io', apps, 'Component', 'components', open),
    definition('workloads.kubeblocks.io', apps, 'InstanceSet', 'instancesets', instanceSet),
  ];
}

function definition(group: string, version: string, kind: string, plural: string, spec: Schema): Draft {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: open } } },
        },
      ],
    },
  };
}
