import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../../shared/evidence.ts';
import { deployment, NOW, operator, pipeline, secret, three, verdictIn, type World } from '../../../test/fixtures/kubero-pipelines.ts';

const IMAGE = 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1';
const DIGEST = `ghcr.io/kubero-dev/kubero-operator/kuberoapp@sha256:${'a'.repeat(64)}`;

describe('a storm of kubero/slow-release-storm', () => {
  it.each<[string, string, string]>([
    ['a mirror with a port', 'registry.local:5000/kubero-dev/kubero-operator/kuberoapp:v0.2.1', '0.2.1'],
    ['a mirror that renames the path', 'registry.local/kuberoapp:v0.2.1', '0.2.1'],
    ['a tag with a digest', `ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.0@sha256:${'a'.repeat(64)}`, '0.2.0'],
  ])('fixes it with an operator from %s', async (_, image, version) => {
    const verdict = await verdictIn({ deployments: [deployment(image)] });
    expect(verdict).toMatchObject({ kind: 'fix', evidence: allLive({ operator: version }) });
  });

  it.each<[string, Partial<World>, RegExp]>([
    [
      'the operator has a suffix of a vendor',
      { deployments: [deployment('registry.local/kuberoapp:v0.2.1-acme')] },
      /version .* is unknown: .*v0\.2\.1-acme/,
    ],
    ['the operator has no tag but a digest', { deployments: [deployment(DIGEST)] }, /version .* is unknown: .*sha256/],
    ['the operator is 0.2.2', { deployments: [operator('0.2.2')] }, /0\.2\.2 is newer than 0\.2\.1/],
    ['the operator is scaled to zero', { deployments: [deployment(IMAGE, 'kubero', 0)] }, /kubero-operator-system\/kubero does not run/],
    ['no release was ever deployed', { pipeline: { ...pipeline(), status: {} } }, /does not say that a release is deployed/],
    [
      'the status names another release',
      { pipeline: { ...pipeline(), status: { ...pipeline().status, deployedRelease: { name: 'shop' } } } },
      /names another release, shop/,
    ],
    [
      'a revision is missing between two that exist',
      { memory: three({ version: 9 }), secrets: [secret(6, NOW - 60_000), secret(10, NOW)] },
      /revision 10 exists without the one before it/,
    ],
  ])('reports the storm and what prevents the fix when %s', async (_, world, because) => {
    const verdict = await verdictIn(world);
    expect(verdict).toMatchObject({ kind: 'report', because: expect.stringMatching(because), advice: [expect.stringContaining('=1h')] });
    expect(verdict.because).toMatch(
      /^checkout is upgraded at every reconciliation though nothing changes\. kubemend does not write, because/,
    );
    expect(JSON.stringify(verdict)).not.toContain('hunter2-');
  });

  it.each<[string, object]>([
    ['another name', { name: 'checkout-7' }],
    ['labels that name another release', { labels: { owner: 'helm', name: 'shop', version: '7' } }],
    ['labels that name another revision', { labels: { owner: 'helm', name: 'checkout', version: '8' } }],
    ['no owner', { labels: { name: 'checkout', version: '7' } }],
    ['a field manager besides helm-operator', { managedFields: [{ manager: 'helm-operator' }, { manager: 'kubectl' }] }],
    ['the field manager of a person who uses helm', { managedFields: [{ manager: 'helm' }] }],
    ['no field manager', { managedFields: [] }],
    ['a deletion that is under way', { deletionTimestamp: '2026-11-21T12:00:00Z' }],
  ])('does not count a Secret with %s', async (_, metadata) => {
    const verdict = await verdictIn({ secrets: [secret(6, NOW - 60_000), secret(7, NOW, metadata)] });
    expect(verdict).toMatchObject({ kind: 'wait', because: expect.stringMatching(/fewer than 4/) });
  });
});
