import satisfies from 'semver/functions/satisfies.js';
import { allLive } from '../../../shared/evidence.ts';
import { asCrd, parseCrds } from '../../../shared/kubernetes/crd.ts';
import { missingStatusFields, schemaLosses } from '../../../shared/kubernetes/crd-schema.ts';
import { hurts } from '../../../shared/kubernetes/loss-relevance.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { changedWithin } from '../../../shared/kubernetes/recent.ts';
import { apply, targetOf } from '../../../shared/plan.ts';
import { type Examination, remediation } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { atLeast, whenWritesCounted } from '../../../shared/when.ts';
import { ANYTHING } from '../../../shared/write.ts';
import { identify } from '../operator/identify.ts';
import { withoutVersion } from '../operator/without-version.ts';
import { hintsOf, type Writers } from '../operator/writers.ts';
import { KNOWN_OPERATORS, writtenFields } from './written-fields.ts';

const CRD = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions', name: 'kafkas.kafka.strimzi.io' };
/** All that is written of the CRD: never its conversion, its names or its labels. */
const SCHEMAS = '/spec/versions';
const VERSION = `${SCHEMAS}/[name]`;
const PROPERTIES = `${VERSION}/schema/openAPIV3Schema/properties`;
const SPEC = `${PROPERTIES}/spec`;
const LISTENER = 'spec/properties/kafka/properties/listeners/items/properties';
const AUTHORIZATION = 'spec/properties/kafka/properties/authorization';
/** In the CRDs of all releases, always of one type: what access to a cluster and its data rest on, and what the status always had. */
const KEPT = [
  ...['spec', 'status'],
  ...['conditions', 'observedGeneration', 'listeners', 'clusterId'].map((field) => `status/properties/${field}`),
  ...['version', 'image', 'listeners', 'config', 'authorization'].map((field) => `spec/properties/kafka/properties/${field}`),
  ...['type', 'superUsers'].map((field) => `${AUTHORIZATION}/properties/${field}`),
  ...['name', 'port', 'type', 'tls', 'authentication', 'authentication/properties/type'].map((field) => `${LISTENER}/${field}`),
  ...['configuration', 'networkPolicyPeers'].map((field) => `${LISTENER}/${field}`),
  ...['clusterCa', 'clientsCa'].map((ca) => `spec/properties/${ca}/properties/generateCertificateAuthority`),
  // Gone in the version v1.
  ...['kafka', 'zookeeper'].flatMap((part) => ['replicas', 'storage'].map((field) => `spec/properties/${part}/properties/${field}`)),
];
const KAFKAS = { group: 'kafka.strimzi.io', resource: 'kafkas' };
const BY_HAND = [
  'Find out which version of the CRDs belongs to this operator, from whoever built its image',
  'Compare them with the live CRD, and apply them by hand: a CRD of another version may drop fields',
];

export default remediation({
  title: 'Apply the CRDs of the running Strimzi operator',
  cause: {
    issue: 'strimzi/strimzi-kafka-operator#10576 (also #9176, #10859, #13079)',
    affects: 'Strimzi 0.37.0 to 0.47.x and 1.2.x on CRDs older than the operator',
    because:
      'Helm never upgrades CRDs. The API server drops a status field the old CRD does not know, so the operator writes it again, for ever.',
  },
  when: whenWritesCounted(KAFKAS, '10m', { phantoms: atLeast(3) }),
  rights: [
    { group: KAFKAS.group, resources: [KAFKAS.resource], scope: 'cluster', verbs: ['get', 'list'] },
    { group: 'apps', resources: ['deployments'], scope: 'cluster', verbs: ['list'] },
    { group: CRD.group, resources: [CRD.resource], names: [CRD.name], scope: 'cluster', verbs: ['get'] },
  ],
  writes: [
    {
      operation: 'apply',
      ...{ group: CRD.group, resource: CRD.resource, names: [CRD.name], scope: 'cluster' },
      worst:
        'drop settings that Kafkas store (templates, resources, OAuth; not the configuration, the authorization, or the listeners with the type of their authentication), which the operator of every cluster then takes as unset; have the API server refuse each write of a Kafka; drop fields of the status, so that the operator writes without end. It can set no default, and add, remove or deprecate no version',
      // The set of versions, what is served and stored, the subresources and deprecations: all but these two stays equal.
      changes: { [`${VERSION}/schema/openAPIV3Schema`]: ANYTHING, [`${VERSION}/additionalPrinterColumns`]: ANYTHING },
      // The API server drops a stored field that the schema does not know, also when it is read: the operator would see a Kafka without it.
      keeps: [`${SPEC}/properties`],
      same: [
        `${SPEC}/properties/*/type`,
        ...KEPT.map((field) => `${PROPERTIES}/${field}/type`),
        `${SPEC}/properties/kafka/properties/config/x-kubernetes-preserve-unknown-fields`,
      ],
      noDefaults: [`${VERSION}/schema/openAPIV3Schema`],
    },
  ],
  limits: { confirmAfter: '5s', settleWithin: '10s', stableFor: '10s', verifyWithin: '5m' },

  hints: hintsOf,

  examine: (examination) => compare(examination, nothingMissing),
  // Before it storms: nobody writes in vain yet.
  scan: { latent: (examination) => compare(examination, () => clear('the CRD keeps every field the operator writes')) },
});

/** Whether the CRDs are older than the operator. `otherwise` judges a CRD that has every field the operator writes. */
async function compare(examination: Examination<Writers>, otherwise: typeof nothingMissing): Promise<Verdict> {
  const { cluster, incident, now } = examination;
  const live = await cluster.get(CRD);
  if (!live) return clear(`the CRD ${CRD.name} does not exist, so there is no Kafka`);
  const version = storageVersion(live);
  const kafka = await cluster.get({ ...incident.object, version });
  if (!kafka || kafka.metadata.deletionTimestamp) return clear('the Kafka resource is gone');
  const operator = await identify(kafka, examination);
  const releases = operator.version === undefined ? operator.candidates : [operator.version];
  const missing = missingStatusFields(asCrd(live), version, writtenFields(releases));
  const found = allLive({ crd: live.metadata.uid ?? '', apiVersion: version, missing });
  if (operator.version === undefined) {
    if (missing.length === 0 && !operator.passes) return otherwise(kafka, live, examination);
    const finding = `the live CRD drops status.${missing.join(', status.')}, which Strimzi ${releases.join(' or ') || 'of a later version'} writes`;
    return withoutVersion(operator, { because: finding, evidence: found, advice: BY_HAND }, examination);
  }
  const { evidence: identity, version: release } = operator;
  if (!satisfies(release, KNOWN_OPERATORS)) {
    return report(`Strimzi ${release} is outside the known range ${KNOWN_OPERATORS}`, { evidence: { ...identity, ...found } });
  }
  if (missing.length === 0) return otherwise(kafka, live, examination);
  if (changedWithin(live, '2m', now)) return wait('the CRD was changed less than 2 minutes ago: somebody may be upgrading', '15s');

  const advice = [`Apply the CRDs of Strimzi ${release} by hand, from its release page`];
  const evidence = { ...identity, ...found };
  const artifact = `strimzi/${release}`;
  const pinned = await cluster.artifact(artifact);
  if (!pinned) advice.unshift(`Pin them: kubemend crds add strimzi ${release} --from strimzi-crds-${release}.yaml`);
  if (!pinned) return report(`the CRDs of Strimzi ${release} are not pinned here`, { evidence, advice });
  const target = (await parseCrds(pinned.text)).find(({ metadata }) => metadata.name === CRD.name);
  if (!target) return report(`the pinned ${artifact} holds no ${CRD.name}`, { evidence, advice });
  const still = missingStatusFields(target, version, missing);
  if (still.length > 0) return report(`the CRD of ${release} lacks status.${still.join(', status.')} too: another failure`, { evidence });
  const losses = schemaLosses(asCrd(live), target);
  const kafkas = losses.length > 0 ? await cluster.list({ ...KAFKAS, version: version }) : [];
  const hurting = losses.filter((loss) => hurts(loss, kafkas));
  if (hurting.length > 0) {
    return report(`the CRD of ${release} is no superset of the live one`, {
      evidence: { ...evidence, ...allLive({ losses: hurting }) },
      advice,
    });
  }

  const reason = `replace the kafkas CRD by the one of Strimzi ${release}`;
  return fix(`Strimzi ${release} writes status.${missing.join(', status.')}, which the live CRD drops`, {
    evidence: { ...evidence, ...(losses.length > 0 && allLive({ newRulesThatNoKafkaMeets: losses })) },
    steps: [apply(targetOf(CRD, live), { artifact, sha256: pinned.sha256 }, reason, [SCHEMAS])],
  });
}

/** The version that Kafkas are stored in, as the live CRD says; a fact names any version. */
function storageVersion(live: KubernetesObject): string {
  const { versions } = asCrd(live).spec;
  return (versions.find(({ storage, served }) => storage && served) ?? versions.find(({ served }) => served))?.name ?? '';
}

/** The CRD keeps everything. After our fix: over once the operator's field is stored. Otherwise somebody else fixed it, or it is another failure. */
function nothingMissing({ metadata, status = {} }: KubernetesObject, crd: KubernetesObject, { incident, now }: Examination): Verdict {
  const fixed = incident.fixed?.missing as string[] | undefined;
  if (fixed?.some((field) => status[field] !== undefined)) return clear(`the operator's status.${fixed.join(', status.')} is stored now`);
  if (fixed) return wait(`the operator has not stored status.${fixed.join(' or status.')} in ${metadata.name} yet`, '2s');
  if (changedWithin(crd, '10m', now)) return clear('the CRD was replaced: it keeps every field the operator writes');
  return report('the operator writes the same status again and again, but the CRD keeps every field it is known to write', {
    advice: ['Compare two status writes in the audit log at level RequestResponse: what differs besides lastTransitionTime?'],
  });
}
