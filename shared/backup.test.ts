import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DirectoryArtifacts } from './artifacts/directory.ts';
import { backUp } from './backup.ts';
import type { Incident } from './incident.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { jsonPatch, mergePatch, type ObjectStep, type Plan, targetOf } from './plan.ts';

const artifacts = new DirectoryArtifacts({ directory: mkdtempSync(join(tmpdir(), 'kubemend-backup-')) });
const live: KubernetesObject = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'n', uid: 'u', resourceVersion: '7', annotations: { period: '6s', config: 'hunter2-CONFIG' } },
  spec: { password: 'hunter2-PASSWORD', color: { front: 'red', back: 'blue' } },
};
const target = targetOf({ group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'n', name: 'w' }, live);

async function kept(step: ObjectStep, object = live): Promise<unknown> {
  const incident = { id: 'i', remediation: 'example/mend' } as Incident;
  const backup = await backUp(artifacts, incident, { hash: '0123456789', steps: [step] } as Plan, step, object);
  if (backup) expect(backup.artifact).toBe('backups/example/mend/i-01234567-0');
  return backup && JSON.parse(await artifacts.get(backup.artifact, backup.sha256));
}

describe('what is kept of an object before it is changed', () => {
  it('is only what a merge patch replaces: the rest of the object may hold credentials', async () => {
    const patch = { metadata: { annotations: { period: '1h', new: 'x' } }, spec: { color: { front: 'green' } } };
    expect(await kept(mergePatch(target, patch, ''))).toEqual({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w', namespace: 'n', uid: 'u', resourceVersion: '7', annotations: { period: '6s', new: null } },
      spec: { color: { front: 'red' } },
    });
  });

  it('is the whole object for every other patch', async () => {
    expect(await kept(jsonPatch(target, [], ''))).toEqual(live);
  });

  it('is nothing of a Secret', async () => {
    const secret = { ...target, group: '', resource: 'secrets' };
    expect(await kept(mergePatch(secret, { data: { a: 'b' } }, ''))).toBeUndefined();
  });
});
