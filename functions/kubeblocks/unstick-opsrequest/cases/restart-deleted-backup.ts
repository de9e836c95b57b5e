import * as z from 'zod';
import { milliseconds } from '../../../../shared/duration.ts';
import { allLive } from '../../../../shared/evidence.ts';
import { jsonPatch, targetOf } from '../../../../shared/plan.ts';
import { fix } from '../../../../shared/verdict.ts';
import { type Case, evidenceOf } from '../case.ts';
import { parentOf, type Situation } from '../situation.ts';

const FROM = 'kubeblocks.io/restore-from-backup';
const DONE = 'kubeblocks.io/restore-done';
const backups = z.record(z.string(), z.looseObject({ name: z.string(), namespace: z.string().optional() }));

/** KubeBlocks #9733: Restart. */
export const restartDeletedBackup: Case = {
  issue: '#9733',
  affects: 'up to 1.0.0; fixed in 1.0.1',
  because: 'a restored component keeps the name of its backup: once that is deleted, no reconcile of the component succeeds',
  types: ['Restart'],
  phases: ['Running'],
  async ask(situation) {
    const { op, age, clusterReference, components, read } = situation;
    if (age < milliseconds('30s')) return undefined;
    const listed = op.spec.restart?.map(({ componentName }) => componentName) ?? components.map(({ name }) => name);
    for (const name of listed) {
      const reference = { ...clusterReference, resource: 'components', name: parentOf(situation, name) };
      const component = await read.get(reference);
      const from = component?.metadata.annotations?.[FROM];
      if (!component || !from || component.metadata.annotations?.[DONE] !== 'true') continue;
      const gone = await deletedBackup(situation, from);
      if (!gone) continue;
      const path = `/metadata/annotations/${FROM.replace('/', '~1')}`;
      const operations = [
        { op: 'test' as const, path, value: from },
        { op: 'remove' as const, path },
      ];
      return fix(`${name} was restored long ago from ${gone}, which is deleted (${this.issue})`, {
        evidence: allLive({ remedy: 'forget the backup', ...evidenceOf(this, situation), component: name, backup: gone }),
        steps: [
          jsonPatch(targetOf(reference, component), operations, `forget the deleted backup ${gone}, as 1.0.1 does once a restore is done`),
        ],
      });
    }
    return undefined;
  },
};

/** The backup an annotation names, if every one it names is deleted. */
async function deletedBackup({ read, op }: Situation, annotation: string): Promise<string | undefined> {
  let named: { name: string; namespace?: string | undefined }[];
  try {
    named = Object.values(backups.parse(JSON.parse(annotation)));
  } catch {
    return undefined;
  }
  const kind = { group: 'dataprotection.kubeblocks.io', version: 'v1alpha1', resource: 'backups' };
  const found = await Promise.all(named.map(({ name, namespace = op.metadata.namespace }) => read.get({ ...kind, namespace, name })));
  return found.every((backup) => backup === undefined) ? named[0]?.name : undefined;
}
