import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Envelope } from '../../events/fact.ts';
import { writePrivateFile } from '../../events/private-files.ts';
import { readEvent } from '../../infra/lambda/read-event.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { systemClock } from '../../shared/clock.ts';
import { handIn } from '../../shared/hand-in.ts';
import { parseLetter, putAside } from '../dead-letters.ts';
import { localStore, stateDirectory, watchedCluster } from '../store.ts';
import { type Call, stateOption, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'send dead letters again, of the exporter or of a function in AWS; what is not taken stays a dead letter',
  usage: 'redrive [--file FILE] [--bus NAME] | redrive --queue NAME [--region REGION]',
  examples: [
    'kubemend redrive',
    'kubemend redrive --file /var/lib/kubemend/dead-letters.ndjson --bus kubemend-prod',
    'kubemend redrive --queue kubemend-prod-strimzi-upgrade-stale-crds-dead',
  ],
  options: {
    ...stateOption,
    file: { type: 'string', help: 'the dead letters (default: exporter/dead-letters.ndjson in the state folder)' },
    bus: { type: 'string', help: 'an EventBridge bus, with the credentials of this machine (default: the kubemend of the state folder)' },
    queue: { type: 'string', help: 'a queue of dead letters in AWS: each is handed to the function it was for, a look to its queue' },
    region: { type: 'string', help: "region of that queue (default: the AWS CLI's)" },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    if (call.values.queue !== undefined) return redriveFromQueue(call);
    if (call.values.region !== undefined) throw new UsageError('--region is the region of a queue: give --queue too');
    const file = text(call, 'file') ?? join(stateDirectory(call), 'exporter', 'dead-letters.ndjson');
    const bus = text(call, 'bus');
    const publish = bus === undefined ? await toState(call) : await toEventBridge(bus);
    // A full file was put aside by the exporter as `.1`.
    const aside = await putAside([`${file}.1`, file]);
    if (aside === undefined && text(call, 'file') !== undefined) throw new UsageError(`There are no dead letters at ${file}`);
    const left: { because: string; id: string }[] = [];
    let sent = 0;
    for (const line of aside?.lines ?? []) {
      const letter = parseLetter(line);
      const because =
        typeof letter === 'string'
          ? letter
          : await publish(letter).then(
              () => undefined,
              (error: Error) => error.message,
            );
      if (because === undefined) sent += 1;
      else {
        left.push({ id: typeof letter === 'string' ? '?' : letter.id, because });
        const kept = typeof letter === 'string' ? line : JSON.stringify({ at: new Date().toISOString(), because, fact: letter });
        writePrivateFile(file, `${kept}\n`, 'a');
      }
    }
    await aside?.done();
    if (call.json) call.out(JSON.stringify({ sent, left }));
    else tell(call, { sent, left, place: file });
    return left.length > 0 ? 1 : 0;
  },
};

async function redriveFromQueue(call: Call): Promise<number> {
  const queue = text(call, 'queue') ?? '';
  const both = ['file', 'bus', 'state'].find((name) => call.values[name] !== undefined);
  if (both) throw new UsageError(`Give --queue or --${both}, not both`);
  const { sent, left } = await (await import('../dead-letter-queue.ts')).redriveQueue(queue, text(call, 'region'));
  if (call.json) call.out(JSON.stringify({ sent, left }));
  else tell(call, { sent, left, place: queue });
  return left.length > 0 ? 1 : 0;
}

function tell(call: Call, { sent, left, place }: { sent: number; left: { id: string; because: string }[]; place: string }): void {
  call.out(`${sent} sent again, ${left.length} left in ${place}`);
  for (const { id, because } of left) call.out(`  ${id}: ${because}`);
}

async function toState(call: Call): Promise<(event: Envelope) => Promise<void>> {
  const { state, schedule } = localStore(call);
  const [remediations, watched] = [await loadRemediations(), await watchedCluster(state)];
  return async (event) => {
    const readings = remediations.map((remediation) => ({ remediation, reading: readEvent(event, remediation.when) }));
    const taken = readings.flatMap(({ remediation, reading }) => ('because' in reading ? [] : [{ remediation, fact: reading.fact }]));
    if (taken.length === 0)
      throw new Error(readings.map(({ reading }) => ('because' in reading ? reading.because : '')).at(-1) ?? 'no rule matches it');
    for (const { remediation, fact } of taken) {
      if (watched !== undefined && fact.cluster !== watched)
        throw new Error(`it is of the cluster ${fact.cluster}; the kubemend of this folder watches ${watched}`);
      const now = systemClock.now();
      const incident = await handIn({ state, remediation, fact, now });
      if (incident) await schedule.put({ incident: incident.id, token: 'wake', at: now });
    }
  };
}

async function toEventBridge(bus: string): Promise<(event: Envelope) => Promise<void>> {
  const target = new EventBridgeBus({ client: new EventBridgeClient({}), bus, wait: delay });
  return (event) => target.publish(event);
}
