import * as z from 'zod';
import { Doubt } from '../../../shared/cluster.ts';
import { type KubernetesObject, nameOf } from '../../../shared/kubernetes/object.ts';

const instance = z.looseObject({ name: z.string(), replicas: z.number().int().optional(), ordinals: z.unknown().optional() });
const resources = {
  requests: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  limits: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
};

const component = z.looseObject({
  name: z.string(),
  replicas: z.number().int(),
  componentDef: z.string().optional(),
  serviceVersion: z.string().optional(),
  instances: z.array(instance).optional(),
  offlineInstances: z.array(z.string()).optional(),
  stop: z.boolean().optional(),
  ordinals: z.unknown().optional(),
  flatInstanceOrdinal: z.boolean().optional(),
  enableInstanceAPI: z.boolean().optional(),
  resources: z.looseObject(resources).optional(),
  systemAccounts: z.array(z.looseObject({ secretRef: z.unknown().optional() })).optional(),
});
const sharding = z.looseObject({ name: z.string(), shards: z.number().int(), template: component.partial({ name: true }) });

const clusterObject = z.looseObject({
  spec: z.looseObject({
    componentSpecs: z.array(component).optional(),
    shardings: z.array(sharding).optional(),
    shardingSpecs: z.array(sharding).optional(),
  }),
  status: z.looseObject({ phase: z.string().optional(), observedGeneration: z.number().int().optional() }).optional(),
});

const scaling = z.looseObject({
  componentName: z.string(),
  shards: z.number().int().optional(),
  scaleOut: z
    .looseObject({
      replicaChanges: z.number().int().optional(),
      instances: z.array(z.looseObject({ name: z.string() })).optional(),
      newInstances: z.array(z.unknown()).optional(),
      offlineInstancesToOnline: z.array(z.string()).optional(),
    })
    .optional(),
  scaleIn: z.looseObject({ onlineInstancesToOffline: z.array(z.string()).optional() }).optional(),
});
const named = z.looseObject({ componentName: z.string() });
const detail = z.looseObject({ objectKey: z.string().optional(), status: z.string().optional(), message: z.string().optional() });
const last = z.looseObject({
  replicas: z.number().int().optional(),
  shards: z.number().int().optional(),
  offlineInstances: z.array(z.string()).optional(),
  instances: z.array(instance).optional(),
  ...resources,
});

const opsRequest = z.looseObject({
  spec: z.looseObject({
    type: z.string(),
    clusterName: z.string().optional(),
    clusterRef: z.string().optional(),
    cancel: z.boolean().optional(),
    timeoutSeconds: z.number().int().optional(),
    preConditionDeadlineSeconds: z.number().int().optional(),
    horizontalScaling: z.array(scaling).optional(),
    verticalScaling: z.array(named.extend(resources)).optional(),
    start: z.array(named).optional(),
    stop: z.array(named).optional(),
    restart: z.array(named).optional(),
    rebuildFrom: z.array(named.extend({ inPlace: z.boolean().optional() })).optional(),
    expose: z.array(z.looseObject({ componentName: z.string().optional(), switch: z.string().optional() })).optional(),
    upgrade: z.looseObject({ components: z.array(named.extend({ serviceVersion: z.string().optional() })).optional() }).optional(),
  }),
  status: z
    .looseObject({
      phase: z.string().optional(),
      progress: z.string().optional(),
      clusterGeneration: z.number().int().optional(),
      startTimestamp: z.string().nullish(),
      completionTimestamp: z.string().nullish(),
      cancelTimestamp: z.string().nullish(),
      lastConfiguration: z.looseObject({ components: z.record(z.string(), last).optional() }).optional(),
      components: z.record(z.string(), z.looseObject({ progressDetails: z.array(detail).optional() })).optional(),
    })
    .optional(),
});

const instanceSet = z.looseObject({
  spec: z.looseObject({
    replicas: z.number().int().optional(),
    paused: z.boolean().optional(),
    defaultTemplateOrdinals: z.unknown().optional(),
    persistentVolumeClaimRetentionPolicy: z.looseObject({ whenScaled: z.string().optional() }).optional(),
    template: z
      .looseObject({ spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string(), image: z.string().optional() })) }) })
      .optional(),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().int().optional(),
      replicas: z.number().int().optional(),
      readyReplicas: z.number().int().optional(),
      updatedReplicas: z.number().int().optional(),
      currentRevisions: z.record(z.string(), z.string()).optional(),
      membersStatus: z.array(z.looseObject({ podName: z.string() })).optional(),
    })
    .optional(),
});

const queueEntry = z.looseObject({ name: z.string(), type: z.string(), inQueue: z.boolean().optional() });

export type Component = z.infer<typeof component>;
export type Sharding = z.infer<typeof sharding>;
export type ClusterObject = KubernetesObject & z.infer<typeof clusterObject>;
export type OpsRequest = KubernetesObject & z.infer<typeof opsRequest>;
export type Scaling = z.infer<typeof scaling>;
export type InstanceSet = KubernetesObject & z.infer<typeof instanceSet>;
export type QueueEntry = z.infer<typeof queueEntry>;

/** What KubeBlocks keeps on a Cluster about the operations that hold or wait for it. */
export const QUEUE_ANNOTATION = 'kubeblocks.io/ops-request';

/** An OpsRequest of either API generation. Throws Doubt for a shape nobody described. */
export const asOpsRequest = (object: KubernetesObject): OpsRequest => read(opsRequest, object, 'opsrequests');
/** A Cluster of either API generation. Throws Doubt for a shape nobody described. */
export const asCluster = (object: KubernetesObject): ClusterObject => read(clusterObject, object, 'clusters');
/** An InstanceSet of either API generation. Throws Doubt for a shape nobody described. */
export const asInstanceSet = (object: KubernetesObject): InstanceSet => read(instanceSet, object, 'instancesets');

/** The operations that hold a Cluster or wait for it, in order. Throws Doubt when the annotation is not what KubeBlocks writes. */
export function queueOf({ metadata }: ClusterObject): QueueEntry[] {
  const text = metadata.annotations?.[QUEUE_ANNOTATION];
  try {
    return text ? z.array(queueEntry).parse(JSON.parse(text)) : [];
  } catch {
    throw new Doubt(`clusters ${metadata.namespace}/${metadata.name}: its annotation ${QUEUE_ANNOTATION} cannot be read`);
  }
}

function read<T>(schema: z.ZodType<T>, object: KubernetesObject, resource: string): KubernetesObject & T {
  const result = schema.safeParse(object);
  if (result.success) return { ...object, ...result.data };
  const { namespace, name } = object.metadata;
  throw new Doubt(`${nameOf({ resource, namespace, name })} has a shape that is not known: ${z.prettifyError(result.error)}`);
}
