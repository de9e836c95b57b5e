import {
  annotation,
  at,
  CA,
  CLUSTERS,
  COMPONENTS,
  CRDS,
  create,
  event,
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

/** What each remediation sends, its undo included. */
export const NEEDED: Row[] = [
  [
    CA,
    'the key generation of a pod',
    json(`${PODS}/kafka-0`, [{ op: 'replace', path: `/metadata/annotations/${KEY.replace('/', '~1')}`, value: '1' }]),
  ],
  [CA, 'the key generation of an entry', json(`${SETS}/kafka`, [{ op: 'replace', path: at, value: '1' }])],
  [
    CRDS,
    'a new property in the schema',
    json(kafkas, [{ op: 'add', path: `${SPEC_OF_SPEC}/properties/fresh`, value: { type: 'string' } }]),
  ],
  [STORM, 'the reconcile period', merge(`${PIPELINES}/shop`, annotation('helm.sdk.operatorframework.io/reconcile-period', '1h'))],
  [STORM, 'its undo', merge(`${PIPELINES}/shop`, annotation('helm.sdk.operatorframework.io/reconcile-period', null))],
  [OPS, 'a timeout', merge(`${OPSREQUESTS}/restart`, { spec: { timeoutSeconds: 1 } })],
  [OPS, 'the undo of a timeout', merge(`${OPSREQUESTS}/restart`, { spec: { timeoutSeconds: null } })],
  [OPS, 'a cancel', merge(`${OPSREQUESTS}/out`, { spec: { cancel: true } })],
  [OPS, 'the same request again, with a number', create(OPSREQUESTS, retry())],
  [OPS, 'the undo of that', remove(`${OPSREQUESTS}/made-retry`)],
  [OPS, 'the deletion of a request that has not begun', remove(`${OPSREQUESTS}/restore`)],
  [OPS, 'more replicas', json(`${CLUSTERS}/orders`, [{ op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 3 }])],
  [
    OPS,
    'more replicas of a template',
    json(`${CLUSTERS}/orders`, [
      { op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 3 },
      { op: 'add', path: '/spec/componentSpecs/0/instances/0/replicas', value: 2 },
    ]),
  ],
  [OPS, 'the backup that is gone', merge(`${COMPONENTS}/orders-mysql`, annotation('kubeblocks.io/restore-from-backup', null))],
  ...[CA, CRDS, STORM, OPS].map(
    (name): Row => [
      name,
      'an Event',
      create('/apis/events.k8s.io/v1/namespaces/kafka/events', event(`kubemend.dev/${name.split('/')[1]}`)),
    ],
  ),
];
