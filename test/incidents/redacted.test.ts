import { readdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { Recorded } from '../../infra/local/bundle.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { loadRedaction } from '../../shared/redaction.ts';
import { markersIn } from '../markers.ts';
import { play } from './play.ts';

const recordings = readdirSync(import.meta.dirname, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
const keepEnv = (await loadRemediations()).flatMap(({ capture }) => capture?.env ?? []);
const { object, audit } = await loadRedaction(Buffer.alloc(32, 7), keepEnv);

const redacted = (recorded: Recorded): Recorded => {
  if (recorded.kind === 'watch') return { ...recorded, event: { ...recorded.event, object: object(recorded.event.object) } };
  return recorded.kind === 'audit' ? { ...recorded, event: audit(recorded.event) } : recorded;
};

it.each(recordings)('%s tells the same without its credentials', async (recording) => {
  let kept = '';
  const without = (events: Recorded[]) => {
    const all = events.map(redacted);
    kept = JSON.stringify(all);
    return all;
  };
  const [live, replayed] = [await play(recording), await play(recording, without)].map((incidents) =>
    incidents.map(({ remediation, object: about, history }) => ({
      ...{ remediation, name: about.name },
      history: history.map(({ at, state, because, verdict }) => ({ at, state, because, verdict: verdict?.kind })),
    })),
  );
  expect(replayed).toEqual(live);
  expect(kept.length).toBeGreaterThan(1_000);
  expect(markersIn(kept)).toEqual([]);
});
