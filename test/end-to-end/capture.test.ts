import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { MARKER, markersIn } from '../markers.ts';

let sandbox: Sandbox;
afterEach(() => sandbox?.close());

const FAST = { confirmAfter: '1s', stableFor: '1s' } as const;

/** Every file below a folder as text, unpacked. */
const textsIn = (folder: string): [string, string][] =>
  readdirSync(folder).map((file) => {
    const bytes = readFileSync(join(folder, file));
    return [file, (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')];
  });

it.each([
  ['kubero-registry-copy', 'kubero/slow-release-storm'],
  ['strimzi-ca-roll', 'strimzi/resume-ca-roll'],
  ['strimzi-stale-znode', 'strimzi/delete-stale-migration-znode'],
])(
  '%s, recorded on a real API server, is captured without a credential and replays to the same verdict',
  async (scenario, remediation) => {
    sandbox = await openSandbox({
      ...{ scenario, mode: 'shadow', record: true, limits: { [remediation]: FAST } },
      progress: () => undefined,
      onProblem: () => undefined,
    });
    let id: string | undefined;
    for await (const change of sandbox.changes(150_000)) {
      if (change.remediation !== remediation || change.state !== 'shadowed') continue;
      id = change.incident;
      break;
    }
    expect(id).toBeDefined();
    const pipelines =
      scenario === 'kubero-registry-copy' ? await sandbox.admin.list('/apis/application.kubero.dev/v1alpha1/kuberopipelines') : [];
    if (pipelines.length > 0) expect(JSON.stringify(pipelines)).toContain(MARKER);

    const to = join(sandbox.directory, 'bundle');
    const args = ['capture', id ?? '', '--state', sandbox.directory, '--to', to, '--json'];
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/kubemend.ts'), ...args], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect({ code, err, ...(JSON.parse(out || '{}') as object) }).toMatchObject({
      code: 0,
      err: '',
      same: true,
      verdict: expect.stringMatching(/^fix: /),
    });

    for (const folder of [to, join(sandbox.directory, 'recording')]) {
      const texts = textsIn(folder);
      expect(texts.map(([, text]) => text.length).reduce((a, b) => a + b)).toBeGreaterThan(1_000);
      for (const [file, text] of texts) expect({ file, markers: markersIn(text) }).toEqual({ file, markers: [] });
    }
  },
  200_000,
);
