import {
  type CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import * as z from 'zod';
import { backoff } from '../wait.ts';
import { type ParseLines, parseAuditLines } from './audit-lines.ts';
import type { AuditSource, AuditSourceContext } from './audit-source.ts';
import { cloudwatchProblem, enable } from './cloudwatch-problem.ts';
import { isTruncated, withoutBodies } from './truncated-event.ts';

/** Which EKS cluster's control-plane log is read, and how. Times in milliseconds. */
export interface AuditCloudwatchOptions {
  client: CloudWatchLogsClient;
  /** The cluster's name in EKS. */
  cluster: string;
  /** Reads the messages, one a line; JSON.parse by default. */
  parse?: ParseLines;
  /** EKS delivers late and out of order: an event may arrive this long after its time. Default 10 minutes. */
  overlap?: number;
  /** Between two looks at what is new. Default 5 s. */
  pollEvery?: number;
  /** Between two readings of the whole overlap. Default 60 s. */
  sweepEvery?: number;
  /** Ids of events known already; what is forgotten is handed on again. Default 100,000, about 15 MB. */
  memory?: number;
}

/** `swept`: everything that arrived before was read. `newest`: time of the newest event. */
const progress = z.object({ swept: z.number(), newest: z.number().optional() });

/** How far back of the newest event each look begins: the streams of the API servers are not delivered together. */
const BRIEF = 60_000;
/** Clocks differ. */
const AHEAD = 60_000;
const ANSWER_WITHIN = 60_000;
const STREAMS = 'kube-apiserver-audit-';
/** The token of a next page ends after 24 hours, and may then give an empty page instead of an error. */
const TOKEN_LASTS = 12 * 3_600_000;

/** Reads the audit log that EKS writes to CloudWatch Logs; the first start begins one overlap ago. */
export function auditCloudwatch(options: AuditCloudwatchOptions): AuditSource {
  return { name: 'audit-cloudwatch', run: (context) => new AuditCloudwatch(options, context).run() };
}

class AuditCloudwatch {
  readonly #options: Required<AuditCloudwatchOptions>;
  readonly #context: AuditSourceContext;
  readonly #group: string;
  readonly #known = new Set<string>();
  #newest: number | undefined;
  #told = '';

  constructor(options: AuditCloudwatchOptions, context: AuditSourceContext) {
    this.#options = { parse: parseAuditLines, overlap: 600_000, pollEvery: 5_000, sweepEvery: 60_000, memory: 100_000, ...options };
    this.#context = context;
    this.#group = `/aws/eks/${options.cluster}/cluster`;
  }

  async run(): Promise<void> {
    const { checkpoint, now, signal, wait } = this.#context;
    const { overlap, pollEvery, sweepEvery } = this.#options;
    const saved = checkpoint.read();
    const { data } = progress.safeParse(saved);
    if (!data && saved !== undefined) this.#tell('the checkpoint is unreadable: what came before the last minutes is not read.');
    this.#newest = data?.newest;
    const started = now();
    let swept = data?.swept ?? started;
    let nextSweep = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const time = now();
      if (time >= nextSweep) {
        swept = await this.#sweep(swept, time);
        nextSweep = time + sweepEvery;
      } else {
        const from = swept - overlap;
        await this.#scan(Math.max(from, (this.#newest ?? from) - BRIEF), time + AHEAD);
      }
      if (!signal.aborted && time - (this.#newest ?? started) > overlap)
        this.#tell(
          `no audit event came for ${Math.round(overlap / 60_000)} minutes. If the audit log is off, turn it on: ${enable(this.#options.cluster)}`,
        );
      await wait(pollEvery, signal);
    }
  }

  /** Reads everything since one overlap before the last sweep, in slices that are checkpointed one by one. Returns how far it came. */
  async #sweep(last: number, time: number): Promise<number> {
    const { overlap } = this.#options;
    let swept = last;
    // One slice in normal times.
    let slice = 2 * overlap;
    for (let from = last - overlap, to = from; from < time; from = to) {
      to = Math.min(from + slice, time);
      const before = this.#newest;
      if (!(await this.#scan(from, to === time ? time + AHEAD : to))) return swept;
      swept = Math.max(swept, to);
      await this.#save(swept);
      // Months without events pass in a few calls.
      slice = this.#newest === before ? slice * 2 : 2 * overlap;
    }
    return swept;
  }

  /** Hands on all events of an interval. False when it is time to stop. */
  async #scan(startTime: number, endTime: number): Promise<boolean> {
    let token: string | undefined;
    do {
      const asked = this.#context.now();
      const page = await this.#page(startTime, endTime, token);
      if (!page || !(await this.#handOn(page.events ?? []))) return false;
      if (page.nextToken !== undefined && this.#context.now() - asked > TOKEN_LASTS) return this.#scan(startTime, endTime);
      // Pages may be empty on the way; the same token again would never end.
      token = page.nextToken === token ? undefined : page.nextToken;
    } while (token !== undefined);
    return true;
  }

  /** One page, asked for until it comes; undefined when it is time to stop. */
  async #page(startTime: number, endTime: number, token: string | undefined): Promise<FilterLogEventsCommandOutput | undefined> {
    const { client, cluster } = this.#options;
    const { now, signal, random, wait } = this.#context;
    const since = now();
    let nextToken = token;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const input = {
          logGroupName: this.#group,
          logStreamNamePrefix: STREAMS,
          startTime,
          endTime,
          ...(nextToken && { nextToken }),
        };
        return await client.send(new FilterLogEventsCommand(input), {
          abortSignal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]),
        });
      } catch (error) {
        if (signal.aborted) break;
        // From the beginning of the interval then; what is known is not handed on again.
        if ((error as Error).name === 'InvalidParameterException' || now() - since > TOKEN_LASTS) nextToken = undefined;
        this.#tell(cloudwatchProblem(error, this.#group, cluster));
        await wait(backoff(failures, random), signal);
      }
    }
    return undefined;
  }

  /** False when it is time to stop. */
  async #handOn(page: FilteredLogEvent[]): Promise<boolean> {
    const fresh = page.filter(
      ({ eventId = '', logStreamName = STREAMS }) => !this.#known.has(eventId) && logStreamName.startsWith(STREAMS),
    );
    if (fresh.length === 0) return true;
    this.#reportSilence(fresh);
    const { events, malformed, truncated } = this.#read(fresh);
    if (events.length > 0 && !(await this.#accepted(events))) return false;
    if (malformed > 0) this.#context.dropped(malformed, 'malformed');
    if (truncated > 0) this.#context.dropped(truncated, 'truncated');
    for (const { eventId, timestamp = 0 } of fresh) {
      if (eventId !== undefined) this.#known.add(eventId);
      this.#newest = Math.max(this.#newest ?? timestamp, timestamp);
    }
    const tooMany = this.#known.size - this.#options.memory;
    for (const id of tooMany > 0 ? [...this.#known.keys().take(tooMany)] : []) this.#known.delete(id);
    return true;
  }

  #read(fresh: FilteredLogEvent[]): { events: unknown[]; malformed: number; truncated: number } {
    const whole: string[] = [];
    const heads: unknown[] = [];
    let truncated = 0;
    for (const { message = '', timestamp = this.#context.now() } of fresh) {
      const text = message.trimEnd();
      if (!isTruncated(text)) {
        whole.push(text);
        continue;
      }
      const head = withoutBodies(text, timestamp);
      if (head === undefined) truncated++;
      else heads.push(head);
    }
    const { events, malformed } = this.#options.parse(Buffer.from(`${whole.join('\n')}\n`));
    return { events: [...events, ...heads], malformed, truncated };
  }

  /** No API server is silent for so long: the log was off, or is deleted already, or this exporter was away for longer than it is kept. */
  #reportSilence(fresh: FilteredLogEvent[]): void {
    const { overlap } = this.#options;
    let newest = this.#newest;
    for (const { timestamp, ingestionTime } of fresh) {
      if (timestamp === undefined) continue;
      if (newest !== undefined && timestamp - newest > overlap) this.#context.gap(newest, timestamp);
      newest = Math.max(newest ?? timestamp, timestamp);
      if (ingestionTime !== undefined && ingestionTime - timestamp > overlap * 0.8)
        this.#tell(
          `an event came ${Math.round((ingestionTime - timestamp) / 1_000)} s late; more than ${overlap / 1_000} s would be missed: raise the overlap.`,
        );
    }
  }

  /** Hands on the same events until they are kept. False when it is time to stop. */
  async #accepted(events: unknown[]): Promise<boolean> {
    const { accept, signal, random, wait } = this.#context;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await accept(events);
        this.#told = '';
        return true;
      } catch (error) {
        this.#tell(`${events.length} events were not kept, and are handed on again: ${error instanceof Error ? error.message : error}`);
        await wait(backoff(failures, random), signal);
      }
    }
    return false;
  }

  async #save(swept: number): Promise<void> {
    try {
      await this.#context.checkpoint.write({ swept, ...(this.#newest !== undefined && { newest: this.#newest }) });
    } catch (error) {
      this.#tell(`the checkpoint was not written, so a restart would repeat events: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Says the same thing once, until events flow again. */
  #tell(message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#context.onProblem(`Log group ${this.#group}: ${message}`);
  }
}
