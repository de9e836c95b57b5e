import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import type { Right } from '../../shared/remediation.ts';
import { clockFinding } from './clock-check.ts';
import { type Finding, fine, wrong } from './finding.ts';
import { rightsFinding } from './rights-check.ts';

/** Whose rights to ask about. */
export interface Wanted {
  name: string;
  rights: Right[];
  namespaces?: string[];
  /** Asked as this user; as the kubeconfig's own when absent. */
  as?: string;
}

/** Is the API server there, is its clock ours, and has every identity its rights? Only asks. `now`: our clock. */
export async function clusterFindings(connection: Connection, wanted: Wanted[], now: () => number): Promise<Finding[]> {
  const own = new Transport(connection);
  const others = wanted.map(({ as }) => (as === undefined ? own : new Transport({ ...connection, impersonate: as })));
  try {
    const asked = now();
    const { status, body, date } = await own.send({ method: 'GET', path: '/version' });
    const answered = now();
    const { gitVersion } = body as { gitVersion?: string };
    if (status === 401)
      return [wrong('API server', `${connection.server} does not know us (401)`, 'renew the credentials of the kubeconfig')];
    const rights = wanted.map(({ as: _, ...one }, index) => rightsFinding({ ...one, transport: others[index] ?? own }));
    return [
      fine('API server', `${connection.server} runs ${gitVersion ?? 'an unknown version'}`),
      // A Date header has whole seconds.
      clockFinding('the API server', date, asked, answered, 1_000),
      ...(await Promise.all(rights)),
    ];
  } catch (error) {
    return [
      wrong(
        'API server',
        `${connection.server} does not answer: ${(error as Error).message}`,
        'check the address and certificate in the kubeconfig',
      ),
    ];
  } finally {
    for (const transport of [own, ...others]) transport.close();
  }
}
