import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { WatchEvent } from '../../events/exporter/watch/watch-event.ts';
import { privateDirectory, writePrivateFile } from '../../events/private-files.ts';
import type { Read } from '../../shared/cluster.ts';
import type { Recorder } from '../../shared/examine.ts';
import type { Collection, KubernetesObject, Reference } from '../../shared/kubernetes/object.ts';
import { loadRedaction, type Redaction } from '../../shared/redaction.ts';
import type { Remediation } from '../../shared/remediation.ts';
import type { ZnodeReference } from '../../shared/znode-step.ts';
import type { Znode } from '../../shared/zookeeper/client.ts';
import { type ReadLine, readAnswer } from './read-line.ts';

/** One line of a recording, redacted before it was written. */
export type RecordedLine = { at: string } & (
  | { kind: 'audit'; event: unknown }
  | { kind: 'watch'; event: WatchEvent }
  | { kind: 'read'; remediation: string; read: ReadLine }
);

const FOLDER = 'recording';
const FILES = ['before.ndjson', 'now.ndjson'] as const;
/** Of each of the two files, bytes. */
const LARGEST = 64 * 1024 * 1024;

/** How a recording is set up. */
export interface RecordingOptions {
  now(): number;
  /** Called when a line cannot be written: what is recorded matters less than what is done. */
  onProblem(message: string): void;
  /** Of each of the two files, bytes. */
  largest?: number;
}

/**
 * What a run saw, for `capture`: two files, the older thrown away when the newer is full. Nothing is written that was not redacted, with a
 * key that only this process knows. The state of what is watched is written anew at the start of each file, so each can be read alone.
 */
export class Recording {
  readonly #directory: string;
  readonly #redaction: Redaction;
  readonly #now: () => number;
  readonly #largest: number;
  readonly #onProblem: (message: string) => void;
  readonly #known = new Map<string, WatchEvent>();
  #size: number;
  /** The newest line was cut short. */
  #torn = false;

  /** Begins a recording in a state folder. */
  static async start(directory: string, remediations: Remediation[], options: RecordingOptions): Promise<Recording> {
    const keepEnv = remediations.flatMap(({ capture }) => capture?.env ?? []);
    return new Recording(directory, await loadRedaction(randomBytes(32), keepEnv), options);
  }

  private constructor(directory: string, redaction: Redaction, { now, onProblem, largest = LARGEST }: RecordingOptions) {
    this.#directory = join(directory, FOLDER);
    this.#redaction = redaction;
    this.#now = now;
    this.#largest = largest;
    this.#onProblem = onProblem;
    privateDirectory(this.#directory);
    // What the run before saw stays for one more: its marks compare with none of ours, but an incident of it can still be captured.
    if (existsSync(join(this.#directory, FILES[1]))) renameSync(join(this.#directory, FILES[1]), join(this.#directory, FILES[0]));
    this.#size = 0;
  }

  watch(event: WatchEvent): void {
    // Only that it was there is known of it: no state.
    if (event.headOnly && event.type !== 'DELETED') return;
    const redacted: WatchEvent = { ...event, object: this.#redaction.object(event.object) };
    const { metadata } = redacted.object as Partial<KubernetesObject>;
    const key = `${event.resource} ${metadata?.namespace ?? ''}/${metadata?.name}`;
    if (event.type === 'DELETED') this.#known.delete(key);
    else if (event.type !== 'BOOKMARK') this.#known.set(key, redacted);
    this.#write({ at: event.receivedAt, kind: 'watch', event: redacted });
  }

  audit(event: unknown): void {
    this.#write({ at: this.#time(), kind: 'audit', event: this.#redaction.audit(event) });
  }

  /** A view that also writes down what is read through it. */
  view(remediation: string, view: Recorder): Recorder {
    const keep = (read: ReadLine) => this.#write({ at: this.#time(), kind: 'read', remediation, read: readAnswer(read, this.#redaction) });
    return new RecordedView(view, keep);
  }

  #time = (): string => new Date(this.#now()).toISOString();

  #write(line: RecordedLine): void {
    try {
      this.#append(line);
      this.#torn = false;
    } catch (error) {
      this.#torn = true;
      this.#onProblem(`The recording misses something: ${(error as Error).message}`);
    }
  }

  #append(line: RecordedLine): void {
    const text = `${this.#torn ? '\n' : ''}${JSON.stringify(line)}\n`;
    const file = join(this.#directory, FILES[1]);
    if (this.#size > 0 && this.#size + text.length > this.#largest) {
      renameSync(file, join(this.#directory, FILES[0]));
      const states = [...this.#known.values()].map((event) => ({
        at: line.at,
        kind: 'watch',
        event: { ...event, type: 'ADDED', receivedAt: line.at, fromList: true },
      }));
      const start = states.map((state) => `${JSON.stringify(state)}\n`).join('');
      writePrivateFile(file, start, 'a');
      // Not counted: a large state would fill a file by itself, and each line would begin another.
      this.#size = 0;
    }
    writePrivateFile(file, text, 'a');
    this.#size += text.length;
  }
}

/** The lines of a recording, oldest first; undefined where nothing was recorded. The line that is being written is left out, and so is one that a full disk cut short. */
export function readRecording(directory: string): RecordedLine[] | undefined {
  const files = FILES.map((file) => join(directory, FOLDER, file)).filter((file) => existsSync(file) && statSync(file).size > 0);
  if (files.length === 0) return undefined;
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => lineOf(line) ?? []),
  );
}

function lineOf(text: string): RecordedLine | undefined {
  try {
    return JSON.parse(text) as RecordedLine;
  } catch {
    return undefined;
  }
}

class RecordedView implements Recorder {
  readonly #view: Recorder;
  readonly #keep: (read: ReadLine) => void;

  constructor(view: Recorder, keep: (read: ReadLine) => void) {
    this.#view = view;
    this.#keep = keep;
  }

  get name(): string {
    return this.#view.name;
  }

  get reads(): Read[] {
    return this.#view.reads;
  }

  async get(reference: Reference): Promise<KubernetesObject | undefined> {
    const object = await this.#view.get(reference);
    this.#keep({ get: reference, object: object ?? null });
    return object;
  }

  async list(collection: Collection): Promise<KubernetesObject[]> {
    const objects = await this.#view.list(collection);
    this.#keep({ list: collection, objects });
    return objects;
  }

  async znode(reference: ZnodeReference): Promise<Znode | undefined> {
    const znode = await this.#view.znode(reference);
    this.#keep({ znode: reference, value: znode ? { ...znode, data: znode.data.toString('base64') } : null });
    return znode;
  }

  artifact(name: string) {
    return this.#view.artifact(name);
  }
}
