import { appendFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { type Envelope, envelope } from '../../events/fact.ts';
import { readEvent } from '../../infra/lambda/read-event.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { systemClock } from '../../shared/clock.ts';
import { handIn } from '../../shared/hand-in.ts';
import { SqliteSchedule } from '../../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { databasePath, stateDirectory } from '../store.ts';
import { type Call, stateOption, text, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'send the dead letters of the exporter again; what is not taken stays a dead letter',
  usage: 'redrive [--file FILE] [--bus NAME]',
  examples: ['kubemend redrive', 'kubemend redrive --file /var/lib/kubemend/dead-letters.ndjson --bus kubemend-prod'],
  options: {
    ...stateOption,
    file: { type: 'string', help: 'the dead letters (default: exporter/dead-letters.ndjson in the state folder)' },
    bus: { type: 'string', help: 'an EventBridge bus, with the credentials of this machine (default: the kubemend of the state folder)' },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const file = text(call, 'file') ?? join(stateDirectory(call), 'exporter', 'dead-letters.ndjson');
    const bus = text(call, 'bus');
    const publish = bus === undefined ? await toState(call) : await toEventBridge(bus);
    const left: { because: string; id: string }[] = [];
    let sent = 0;
    for (const line of [...(await take(`${file}.1`)), ...(await take(file))]) {
      const letter = parse(line);
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
        await appendFile(
          file,
          `${typeof letter === 'string' ? line : JSON.stringify({ at: new Date().toISOString(), because, fact: letter })}\n`,
        );
      }
    }
    for (const done of [file, `${file}.1`]) await rm(`${done}.redriving`, { force: true });
    if (call.json) call.out(JSON.stringify({ sent, left }));
    else {
      call.out(`${sent} sent again, ${left.length} left in ${file}`);
      for (const { id, because } of left) call.out(`  ${id}: ${because}`);
    }
    return left.length > 0 ? 1 : 0;
  },
};

/** The lines of the file, which is put aside first: the exporter may write a new one meanwhile. What an earlier redrive that died left is taken up too. */
async function take(file: string): Promise<string[]> {
  const aside = `${file}.redriving`;
  const before = await readFile(aside, 'utf8').catch(() => undefined);
  if (before === undefined) {
    const moved = await rename(file, aside).then(
      () => true,
      () => false,
    );
    if (!moved) return [];
  }
  return (before ?? (await readFile(aside, 'utf8'))).split('\n').filter((line) => line.trim() !== '');
}

/** The event of a dead letter, or why the line is none. */
function parse(line: string): Envelope | string {
  try {
    const { event, fact } = JSON.parse(line) as { event?: unknown; fact?: unknown };
    const found = envelope.safeParse(event ?? fact);
    return found.success ? found.data : 'the line holds no event';
  } catch {
    return 'the line is no JSON';
  }
}

async function toState(call: Call): Promise<(event: Envelope) => Promise<void>> {
  const database = openDatabase(databasePath(stateDirectory(call)));
  const state = new SqliteState(database);
  const schedule = new SqliteSchedule(database, systemClock, call.err);
  const remediations = await loadRemediations();
  return async (event) => {
    const readings = remediations.map((remediation) => ({ remediation, reading: readEvent(event, remediation.when) }));
    const taken = readings.flatMap(({ remediation, reading }) => ('because' in reading ? [] : [{ remediation, fact: reading.fact }]));
    if (taken.length === 0)
      throw new Error(readings.map(({ reading }) => ('because' in reading ? reading.because : '')).at(-1) ?? 'no rule matches it');
    for (const { remediation, fact } of taken) {
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
