import { describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { responsibleFor } from './responsible.ts';

interface Installation {
  labels?: Record<string, string>;
  replicas?: number;
  status?: Record<string, unknown>;
  env?: object[];
  container?: object;
  annotations?: Record<string, string>;
}

const watching = (variable: object) => ({ env: [{ name: 'STRIMZI_NAMESPACE', ...variable }] });
const OLM = watching({ valueFrom: { fieldRef: { fieldPath: "metadata.annotations['olm.targetNamespaces']" } } });

async function found({ labels = { app: 'strimzi' }, replicas, status, env = [], container = {}, annotations = {} }: Installation) {
  const deployment = {
    metadata: { name: 'operator', namespace: 'kafka', labels },
    spec: {
      ...(replicas !== undefined && { replicas }),
      template: { metadata: { annotations }, spec: { containers: [{ name: 'strimzi-cluster-operator', env, ...container }] } },
    },
    ...(status && { status }),
  } as KubernetesObject;
  const cluster = { list: async () => [deployment] } as unknown as Cluster;
  const { operators, unsure, stopped } = await responsibleFor(cluster, 'kafka');
  if (unsure.length > 0) return 'unsure';
  return operators.length > 0 ? 'responsible' : stopped.length > 0 ? 'stopped' : 'none';
}

describe('the operator that is responsible for a namespace', () => {
  it.each<[string, Installation, string]>([
    ['STRIMZI_NAMESPACE is not set', {}, 'responsible'],
    ['it is empty', watching({ value: '' }), 'responsible'],
    ['it is a field without a value', watching({}), 'responsible'],
    ['it is every namespace', watching({ value: ' * ' }), 'responsible'],
    ['it is a list with spaces', watching({ value: 'team-a,kafka , team-b' }), 'responsible'],
    ['it is the namespace of the pod', watching({ valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }), 'responsible'],
    ['OLM names the namespace', { ...OLM, annotations: { 'olm.targetNamespaces': 'kafka' } }, 'responsible'],
    ['OLM names every namespace', { ...OLM, annotations: { 'olm.targetNamespaces': '' } }, 'responsible'],
    ['OLM names another namespace', { ...OLM, annotations: { 'olm.targetNamespaces': 'team-a' } }, 'none'],
    ['it is another namespace', watching({ value: 'kafka-dev' }), 'none'],
    ['it is a list that Strimzi refuses', watching({ value: '*,kafka' }), 'none'],
    ['it comes from a ConfigMap', watching({ valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }), 'unsure'],
    ['it comes from another variable', watching({ value: '$(WATCHED)' }), 'unsure'],
    ['it may come from a ConfigMap with all variables', { container: { envFrom: [{}] } }, 'unsure'],
    ['the Deployment has no label', { labels: {} }, 'responsible'],
    [
      'another program of Strimzi has a STRIMZI_ variable and no label',
      { ...watching({ value: 'kafka' }), labels: {}, container: { name: 'topic-operator' } },
      'none',
    ],
    ['it is scaled to zero', { replicas: 0 }, 'stopped'],
    ['its controller reports no pod', { replicas: 1, status: { observedGeneration: 1 } }, 'stopped'],
    ['its status names zero pods', { replicas: 1, status: { replicas: 0 } }, 'stopped'],
    ['its pod is not ready', { replicas: 1, status: { observedGeneration: 1, replicas: 1, unavailableReplicas: 1 } }, 'responsible'],
    ['the recording has no status', { replicas: 1 }, 'responsible'],
  ])('where %s: %j is judged %s', async (_, installation, expected) => {
    expect(await found(installation)).toBe(expected);
  });
});
