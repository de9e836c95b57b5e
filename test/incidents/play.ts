import { join } from 'node:path';
import { type Recorded, readBundle } from '../../infra/local/bundle.ts';
import { replay } from '../../infra/local/replay.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { DirectoryArtifacts } from '../../shared/artifacts/directory.ts';
import type { Incident } from '../../shared/incident.ts';

const artifacts = new DirectoryArtifacts({ directory: '/nonexistent', shipped: join(import.meta.dirname, '../../artifacts') });

/** Replays a recording of this folder, changed if wanted, through every remediation; throws on any problem. */
export async function play(recording: string, change = (events: Recorded[]): Recorded[] => events): Promise<Incident[]> {
  return replay({
    events: change(readBundle(join(import.meta.dirname, recording))),
    remediations: await loadRemediations(),
    ...{ artifacts, cluster: 'recording' },
    onProblem: (problem) => {
      throw new Error(problem);
    },
  });
}
