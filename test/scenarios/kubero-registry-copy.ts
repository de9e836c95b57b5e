import { operatorConnection, seedKubero } from './kubero/cluster.ts';
import { FakeHelmOperator } from './kubero/operator.ts';
import type { Scenario } from './scenario.ts';

/** Kubero #420 as it was reported, at its fastest: an annotation of 6 s is there already. */
export const scenario: Scenario = {
  namespaces: ['kubero'],
  title: 'Kubero 0.2.1 copies registry credentials: its pipeline is upgraded at every reconciliation, every 6 s',
  remediation: 'kubero/slow-release-storm',
  isSymptom: ({ verb, requestURI, userAgent }) =>
    verb === 'create' && requestURI.startsWith('/api/v1/namespaces/kubero/secrets') && userAgent?.startsWith('helm-operator/') === true,
  async start({ admin, connection, progress }) {
    progress('installing Kubero 0.2.1 and the pipeline checkout with createSecret: copy');
    await seedKubero(admin, { period: '6s' });
    const operator = new FakeHelmOperator({ connection: await operatorConnection(admin, connection) });
    operator.start();
    return operator;
  },
};
