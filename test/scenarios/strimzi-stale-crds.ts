import type { Scenario } from './scenario.ts';
import { operatorConnection, readCrds, seedStaleCrds } from './strimzi/cluster.ts';
import { FakeStrimziOperator } from './strimzi/operator.ts';

/** Strimzi #10576: the operator of 0.43.0 runs on the CRDs of 0.41.0. */
export const scenario: Scenario = {
  title: 'Strimzi 0.43.0 was installed by Helm over the CRDs of 0.41.0: its status writes never end',
  remediation: 'strimzi/upgrade-stale-crds',
  isSymptom: ({ verb, objectRef }) => verb === 'update' && objectRef?.resource === 'kafkas' && objectRef.subresource === 'status',
  async start({ admin, connection, progress }) {
    progress('installing the CRDs of Strimzi 0.41.0, the operator 0.43.0 and a Kafka');
    await seedStaleCrds(admin, { crds: await readCrds('0.41.0') });
    const operator = new FakeStrimziOperator({ connection: await operatorConnection(admin, connection), version: '0.43.0' });
    operator.start();
    return operator;
  },
};
