import { satisfies } from 'semver';
import type { Json } from '../../../shared/canonical.ts';
import type { Cluster } from '../../../shared/cluster.ts';
import { type CustomResourceDefinition, missingStatusFields, schemaLosses } from '../../../shared/kubernetes/crd-schema.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { changedWithin } from '../../../shared/kubernetes/recent.ts';
import { documentsOf } from '../../../shared/kubernetes/yaml.ts';
import { apply, targetOf } from '../../../shared/plan.ts';
import { type Examination, type Fact, remediation } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { atLeast, whenWritesCounted } from '../../../shared/when.ts';

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments', labelSelector: 'app=strimzi' };

/** Which operators write which field of a Kafka's status in every reconciliation; each was new in the CRDs of its first version. */
const WRITTEN: [field: string, operators: string][] = [
  ['kafkaNodePools', '>=0.36.0'],
  ['operatorLastSuccessfulVersion', '>=0.37.0'],
  ['kafkaVersion', '>=0.37.0'],
  ['kafkaMetadataVersion', '>=0.39.0'],
  ['kafkaMetadataState', '>=0.40.0 <0.49.0'],
  ['registeredNodeIds', '>=0.43.0 <0.48.0'],
  ['clusterSecurity', '>=1.2.0'],
];
const KNOWN_OPERATORS = '>=0.37.0 <1.3.0';

export default remediation({
  title: 'Apply the CRDs of the running Strimzi operator',
  cause: {
    issue: 'strimzi/strimzi-kafka-operator#10576 (also #9176, #10859, #13079)',
    affects: 'Strimzi 0.37.0 to 0.47.x and 1.2.x on CRDs older than the operator',
    because: 'Helm never upgrades CRDs. The API server drops a status field the old CRD does not know, so the operator writes it again, for ever.',
  },
  when: whenWritesCounted({ group: 'kafka.strimzi.io', resource: 'kafkas' }, '10m', { phantoms: atLeast(3) }),
  rights: [
    { group: 'kafka.strimzi.io', resources: ['kafkas'], verbs: ['get'] },
    { group: 'apps', resources: ['deployments'], verbs: ['list'] },
    { group: CRDS.group, resources: [CRDS.resource], names: ['kafkas.kafka.strimzi.io'], verbs: ['get', 'patch'] },
  ],
  limits: { confirmAfter: '5s', settleWithin: '10s', stableFor: '10s', verifyWithin: '5m' },

  async examine({ fact, cluster, now, incident }: Examination): Promise<Verdict> {
    const kafka = await cluster.get(fact.object);
    if (!kafka || kafka.metadata.deletionTimestamp) return clear('the Kafka resource is gone');
    const operator = await whichOperator(fact, kafka, cluster, now);
    if (typeof operator !== 'string') return operator;
    if (!satisfies(operator, KNOWN_OPERATORS)) return report(`Strimzi ${operator} is outside the known range ${KNOWN_OPERATORS}`);

    const crd = (await cluster.get({ ...CRDS, name: 'kafkas.kafka.strimzi.io' })) as CustomResourceDefinition | undefined;
    if (!crd) return report('the CRD kafkas.kafka.strimzi.io does not exist');
    const written = WRITTEN.filter(([, operators]) => satisfies(operator, operators)).map(([field]) => field);
    const missing = missingStatusFields(crd, fact.object.version, written);
    if (missing.length === 0) return nothingMissing(kafka, crd, now, incident.fixed?.missing as string[] | undefined);
    if (changedWithin(crd, '2m', now)) return wait('the CRD was changed less than 2 minutes ago: somebody may be upgrading', '30s');

    const advice = [`Apply the CRDs of Strimzi ${operator} by hand, from its release page`];
    const evidence = { operator, crd: crd.metadata.uid ?? '', apiVersion: fact.object.version, missing };
    const pinned = await cluster.artifact(`strimzi/${operator}`);
    if (!pinned) {
      return report(`the CRDs of Strimzi ${operator} are not pinned here`, {
        evidence,
        advice: [`kubemend crds add strimzi ${operator} --from strimzi-crds-${operator}.yaml`, ...advice],
      });
    }
    const target = documentsOf(pinned.text).find(({ metadata }) => metadata.name === crd.metadata.name) as CustomResourceDefinition | undefined;
    if (!target) return report(`the pinned artifact strimzi/${operator} has no kafkas CRD`, { evidence, advice });
    const still = missingStatusFields(target, fact.object.version, missing);
    if (still.length > 0) return report(`the CRD of ${operator} lacks ${still.join(', ')} too: not this failure`, { evidence });
    const losses = schemaLosses(crd, target);
    if (losses.length > 0) return report(`the CRD of ${operator} is not a superset of the live one`, { evidence: { ...evidence, losses }, advice });

    return fix(`Strimzi ${operator} writes status.${missing.join(', status.')}, which the live CRD drops`, {
      evidence,
      steps: [
        apply(
          targetOf({ ...CRDS, name: crd.metadata.name }, crd),
          { artifact: `strimzi/${operator}`, sha256: pinned.sha256 },
          `replace the kafkas CRD by the one of Strimzi ${operator}`,
        ),
      ],
    });
  },
});

/** The version of the one operator that writes, or why that is not certain. */
async function whichOperator(fact: Fact, kafka: KubernetesObject, cluster: Cluster, now: number): Promise<string | Verdict> {
  const agents = 'actors' in fact ? fact.actors.filter(({ userAgent }) => userAgent.startsWith('strimzi-cluster-operator/')) : [];
  const pods = new Set(agents.flatMap(({ pod }) => pod ?? []));
  const deployments = await cluster.list(DEPLOYMENTS);
  const images = deployments.flatMap((deployment) => operatorImage(deployment) ?? []);
  const seen = new Set(agents.map(({ userAgent }) => userAgent.split('/')[1] ?? ''));
  const versions = new Set([...seen, ...images]);
  if (seen.size > 1 || pods.size > 1 || new Set(images).size > 1) {
    return report('more than one Strimzi operator writes or runs here', { evidence: { versions: [...versions], pods: [...pods] } });
  }
  const rolling = deployments.find((deployment) => operatorImage(deployment) && (isRolling(deployment) || changedWithin(deployment, '5m', now)));
  if (rolling) return wait('the operator is being upgraded: its CRDs are usually applied next', '30s');
  const [version] = seen.size > 0 ? seen : versions;
  // Without audit nobody named the writer: two other sources have to agree.
  const last = kafka.status?.operatorLastSuccessfulVersion as Json | undefined;
  if (version === undefined || (seen.size === 0 && last !== version)) return wait('which operator version writes is not known yet', '10s');
  if (versions.size > 1) return wait(`the operator that writes (${version}) is not the one deployed (${images.join(', ')})`, '30s');
  return version;
}

const operatorImage = ({ spec }: KubernetesObject): string | undefined => {
  const { containers = [] } = (spec?.template as { spec?: { containers?: { image?: string }[] } } | undefined)?.spec ?? {};
  return containers.map(({ image = '' }) => /\/operator:(\d+\.\d+\.\d+)$/.exec(image)?.[1]).find((version) => version !== undefined);
};

const isRolling = ({ metadata, spec, status }: KubernetesObject): boolean =>
  status?.observedGeneration !== undefined &&
  (status.observedGeneration !== metadata.generation || Number(status.updatedReplicas ?? 0) < Number(spec?.replicas ?? 1));

/** The CRD keeps everything. After our fix: over once the operator's field is stored. Otherwise somebody else fixed it, or it is another failure. */
function nothingMissing({ metadata, status = {} }: KubernetesObject, crd: KubernetesObject, now: number, fixed: string[] | undefined): Verdict {
  if (fixed?.some((field) => status[field] !== undefined)) return clear(`the CRD keeps status.${fixed.join(', status.')}, and the operator stored it`);
  if (fixed) return wait(`the operator has not stored status.${fixed.join(' or status.')} in ${metadata.name} yet`, '2s');
  if (changedWithin(crd, '10m', now)) return clear('the CRD was replaced: it keeps every field the operator writes');
  return report('the operator writes the same status again and again, but the CRD keeps every field it is known to write', {
    advice: ['Compare two status writes in the audit log at level RequestResponse: what differs besides lastTransitionTime?'],
  });
}
