import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { asRecord } from '../as-record.ts';
import { Reducer } from '../reduce/reduce.ts';
import { parseAuditLines } from './audit-lines.ts';
import { auditProbe } from './audit-probe.ts';
import { readAuditEvent } from './audit-record.ts';
import { auditSelector, keptLines } from './audit-selector.ts';
import { baseOf, damage, eventMaker, infoOf, seeded } from './testdata/audit-mutations.ts';
import { requestInfo } from './testdata/request-info.ts';

const RESOURCES = [
  { group: '', resource: 'configmaps' },
  { group: '', resource: 'secrets' },
  { group: 'apps', resource: 'deployments' },
  { group: 'apps.kubeblocks.io', resource: 'clusters' },
  { group: 'operations.kubeblocks.io', resource: 'opsrequests' },
  { group: 'kafka.strimzi.io', resource: 'kafkas' },
];
const OTHERS = ['/pods', '/namespaces', 'apps/statefulsets', 'kafka.strimzi.io/kafkatopics', 'example.com/configmaps', '/kafkas'];
const WORDS = [...RESOURCES.map(({ group, resource }) => `${group}/${resource}`), ...OTHERS];
const selector = auditSelector(RESOURCES);

const INCIDENTS = join(import.meta.dirname, '../../../test/incidents');
const read = (path: string): Buffer => gunzipSync(readFileSync(path));
/** Odd requests to a real API server (test/fixtures/audit-requests.ts), and real operators. */
const RECORDINGS: [string, Buffer][] = [
  ['audit-requests', read(join(import.meta.dirname, 'testdata/audit-requests.ndjson.gz'))],
  ...readdirSync(INCIDENTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }): [string, Buffer] => [name, read(join(INCIDENTS, name, 'audit.ndjson.gz'))]),
];
const linesOf = (buffer: Buffer): string[] => buffer.toString('utf8').split('\n').slice(0, -1);

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const wanted = new Set(RESOURCES.map(({ group, resource }) => `${group}/${resource}`));

/** What a reducer makes of the event, by the rules of `readAuditEvent` and `Reducer.audit`; an event with a fault in it counts, too. */
function interest(event: unknown): 'wanted' | 'ignored' | 'none' {
  const { stage, verb, objectRef } = asRecord(event);
  if ((stage !== 'ResponseComplete' && stage !== 'Panic') || !WRITES.includes(verb as string) || objectRef === undefined) return 'none';
  const { apiGroup = '', resource } = asRecord(objectRef);
  return typeof resource !== 'string' || wanted.has(`${apiGroup}/${resource}`) ? 'wanted' : 'ignored';
}

const wantedOf = (events: unknown[]): string[] =>
  events.filter((event) => interest(event) === 'wanted').map((event) => JSON.stringify(event));
const ignoredOf = (events: unknown[]): number => events.filter((event) => interest(event) === 'ignored').length;

/** Only damage within the path itself makes URI and objectRef contradict each other: the one damage that the probe may believe. */
function isConsistent(event: unknown): boolean {
  const { requestURI, objectRef } = asRecord(event);
  const model = infoOf('PUT', String(requestURI)).objectRef;
  return model?.resource === asRecord(objectRef).resource && model?.apiGroup === asRecord(objectRef).apiGroup;
}

describe.each(RECORDINGS)('the recording %s', (_, recording) => {
  it('is what the model of the API server says', () => {
    for (const line of linesOf(recording)) {
      const { requestURI, verb, objectRef } = JSON.parse(line);
      const [path, query = ''] = requestURI.split('?');
      for (const method of ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const model = requestInfo(method, decodeURIComponent(path));
        if (model.verb !== verb && !(model.verb === 'list' && verb === 'watch' && query !== '')) continue;
        const { apiGroup, resource } = objectRef ?? {};
        expect([requestURI, model.objectRef?.apiGroup, model.objectRef?.resource]).toEqual([requestURI, apiGroup, resource]);
      }
    }
  });

  it('gives the same as JSON.parse, as a log and as EventLists', () => {
    const reference = parseAuditLines(recording);
    const { events, malformed, ignored } = selector.lines(recording);
    expect(wantedOf(events)).toEqual(wantedOf(reference.events));
    expect([malformed, ignored + ignoredOf(events)]).toEqual([0, ignoredOf(reference.events)]);
    const list = selector.list(listOf(linesOf(recording)));
    expect(wantedOf(list?.events ?? [])).toEqual(wantedOf(reference.events.map((event) => ({ ...asRecord(event), ...NO_TYPE }))));
    expect((list?.ignored ?? 0) + ignoredOf(list?.events ?? [])).toBe(ignoredOf(reference.events));
  });

  it('makes the same of a reducer', () => {
    const pattern = { source: ['kubernetes'], 'detail-type': ['Writes Counted'] };
    const rules = RESOURCES.map(({ group, resource }, i) => ({
      name: `rule-${i}`,
      pattern: { ...pattern, detail: { object: { group: [group], resource: [resource] } } },
    }));
    const run = (events: unknown[], ignored: number) => {
      const reducer = new Reducer({ cluster: 'test', rules });
      reducer.reportIgnored(ignored);
      const readings = events.map(readAuditEvent);
      const facts = readings.flatMap((reading) => (reading.kind === 'record' ? reducer.audit(reading.record) : []));
      return { facts, stats: reducer.stats(), malformed: readings.filter(({ kind }) => kind === 'malformed').length };
    };
    const { events, ignored } = selector.lines(recording);
    expect(run(events, ignored)).toEqual(run(parseAuditLines(recording).events, 0));
  });
});

const maybeDamaged = (random: () => number, line: Buffer): Buffer => (random() < 0.5 ? damage(random, line) : line);
/** Two lines, one cut at its end and one at its beginning, may join to JSON that has each key twice: nobody can say which event that is. */
const withoutTwins = (lines: Buffer): Buffer =>
  Buffer.from(
    lines
      .toString('latin1')
      .split('\n')
      .filter((line) => !isTwin(line))
      .join('\n'),
    'latin1',
  );
/** A head that the probe believes goes as far as the verb. */
const isTwin = (line: string): boolean =>
  line.indexOf(VERB) !== line.lastIndexOf(VERB) && parseAuditLines(Buffer.from(line, 'latin1')).malformed === 0;
const VERB = '"verb":"';
const NO_TYPE = { kind: undefined, apiVersion: undefined };
const withoutType = (line: string): string => line.replace('"kind":"Event","apiVersion":"audit.k8s.io/v1",', '');
const listOf = (lines: string[]): Buffer =>
  Buffer.from(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.map(withoutType).join()}]}\n`);

const hit = (auditID: string) =>
  `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"${auditID.padEnd(36, '0')}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/configmaps/b","verb":"update","user":{},"objectRef":{"resource":"configmaps","apiVersion":"v1"},"stageTimestamp":"2026-11-21T00:00:00.5Z"}`;
const miss = hit('miss').replaceAll('configmaps', 'pods');

describe('forms that are not expected', () => {
  const body = listOf([miss, hit('a')]).toString('utf8');
  it.each([
    ['with whitespace', JSON.stringify(JSON.parse(body), null, 1)],
    ['with other keys', body.replace('"metadata":{}', '"metadata":{"continue":""}')],
    ['cut', body.slice(0, -10)],
    ['with something behind', `${body}{}`],
    ['of another kind', body.replace('EventList', 'List')],
    ['with a broken hit', body.replace('"stageTimestamp":"2026-11-21T00:00:00.5Z"}]', '"stageTimestamp":2026-11-21T00:00:00.5Z}]')],
  ])('leave a list %s to JSON.parse', (_, text) => {
    expect(selector.list(Buffer.from(text))).toBeUndefined();
  });

  it('take the list itself, and the time of its last event', () => {
    const { events, ...counts } = selector.list(Buffer.from(body)) ?? { events: [] };
    expect(events).toEqual([{ ...JSON.parse(hit('a')), ...NO_TYPE }]);
    expect(counts).toEqual({ malformed: 0, ignored: 1, newest: Date.parse('2026-11-21T00:00:00.5Z') });
  });

  it('an event within a request body is no event', () => {
    const outer = miss.replace(
      '"stageTimestamp"',
      `"requestObject":{"items":[${withoutType(miss)},${withoutType(hit('a'))}]},"stageTimestamp"`,
    );
    expect(selector.list(listOf([outer, miss]))).toMatchObject({ events: [], ignored: 2 });
  });

  it('the event behind a torn one is kept, and the torn one is counted', () => {
    const selection = selector.lines(Buffer.from(`${miss}\n${miss.slice(0, 260)}${hit('a')}\n${miss.slice(0, -1)}\n`));
    expect(selection).toMatchObject({ events: [JSON.parse(hit('a'))], malformed: 2, ignored: 1 });
  });
});

/** Short ones mostly, for a million of them to take seconds. */
const isHandy = (line: string, i: number): boolean =>
  line.length < 700 || (i % 10 === 0 && line.length < 1_000) || (i % 400 === 0 && line.length < 4_000);
const bases = RECORDINGS.flatMap(([, recording]) => linesOf(recording).filter(isHandy)).map(baseOf);

describe('a million mutations', () => {
  const SEED = 20261121;
  const [ROUNDS, DAMAGED_ROUNDS, SIZE] = [8_000, 2_000, 100];
  const probe = auditProbe(RESOURCES);
  // Globals are slow within Jest, and these are used a million times.
  const [{ parse }, { byteLength }] = [JSON, Buffer];

  it('keep every line that JSON.parse finds wanted, and are certain only of such', () => {
    const random = seeded(SEED);
    const next = eventMaker(random, bases, WORDS);
    const sums = { wanted: 0, certain: 0, skipped: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const batch = Array.from({ length: SIZE }, next);
      const kept = new Map<number, { end: number; certain: boolean }>();
      const ignored = keptLines(
        Buffer.from(`${batch.join('\n')}\n`),
        probe,
        (start, end, certain) => void kept.set(start, { end, certain }),
      );
      let [start, skippedWrites] = [0, 0];
      for (const line of batch) {
        const end = start + byteLength(line);
        const found = kept.get(start);
        const what = interest(parse(line));
        if (found ? found.end !== end || (found.certain && what !== 'wanted') : what === 'wanted')
          throw new Error(`Seed ${SEED}, round ${round}: ${what} for JSON.parse, ${JSON.stringify(found)} for the probe: ${line}`);
        if (what === 'wanted') sums.wanted += 1;
        if (found?.certain) sums.certain += 1;
        if (!found) sums.skipped += 1;
        if (!found && what === 'ignored') skippedWrites += 1;
        start = end + 1;
      }
      if (ignored !== skippedWrites) expect([`seed ${SEED}, round ${round}`, ignored]).toEqual(['as many', skippedWrites]);
    }
    // A probe that keeps everything would pass, too.
    expect(sums.wanted).toBeGreaterThan(0.05 * ROUNDS * SIZE);
    expect(sums.certain).toBeGreaterThan(0.4 * sums.wanted);
    expect(sums.skipped).toBeGreaterThan(0.3 * ROUNDS * SIZE);
  }, 600_000);

  it('select what JSON.parse selects when every second one is damaged', () => {
    const random = seeded(SEED + 2);
    const next = eventMaker(random, bases, WORDS);
    const among = (all: unknown[]) => wantedOf(all.filter((event) => interest(event) === 'wanted' && isConsistent(event)));
    let skipped = 0;
    for (let round = 0; round < DAMAGED_ROUNDS; round += 1) {
      const batch = withoutTwins(Buffer.concat(Array.from({ length: SIZE }, () => maybeDamaged(random, Buffer.from(`${next()}\n`)))));
      const { events } = selector.lines(batch);
      const [mine, theirs] = [among(events), among(parseAuditLines(batch).events)];
      if (mine.join('\n') !== theirs.join('\n')) expect([`seed ${SEED}, round ${round}`, mine]).toEqual(['no difference', theirs]);
      skipped += SIZE - events.length;
      keptLines(batch, probe, (start, end, certain) => {
        for (const event of certain ? parseAuditLines(batch.subarray(start, end)).events.filter(isConsistent) : [])
          if (interest(event) !== 'wanted') throw new Error(`Seed ${SEED + 2}, round ${round}: not wanted: ${batch.subarray(start, end)}`);
      });
    }
    expect(skipped).toBeGreaterThan(0.1 * DAMAGED_ROUNDS * SIZE);
  }, 600_000);

  it('also as EventLists, which fall back to JSON.parse as a whole', () => {
    const random = seeded(SEED + 1);
    const next = eventMaker(random, bases, WORDS);
    for (let round = 0; round < 100; round += 1) {
      const list = listOf(Array.from({ length: 400 }, next));
      const { items } = JSON.parse(list.toString('utf8'));
      const selection = selector.list(list);
      if (selection === undefined) throw new Error(`Seed ${SEED + 1}, round ${round}: a sound list was not taken.`);
      expect(wantedOf(selection.events)).toEqual(wantedOf(items));
      expect(selection.ignored + ignoredOf(selection.events)).toBe(ignoredOf(items));
    }
  }, 600_000);
});
