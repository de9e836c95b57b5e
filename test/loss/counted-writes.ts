import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { COUNTED, STEP } from './loss-rules.ts';

/** What the API server's own audit log says of the counted objects of a namespace: when each was written, ascending. */
export interface CountedWrites {
  times: Map<string, number[]>;
  /** Audit came in order, so that every fact must be exact, not only the last one. */
  isOrdered: boolean;
}

/** One Writes Counted fact. Times in milliseconds. */
export interface CountedFact {
  name: string;
  writes: number;
  end: number;
  gap: boolean;
}

/** The API server's audit log from now on. */
export class CountedLog {
  readonly #path: string;
  readonly #namespace: string;
  readonly #times = new Map<string, number[]>();
  #position: number;
  #rest = '';

  constructor(path: string, namespace: string) {
    this.#path = path;
    this.#namespace = namespace;
    this.#position = statSync(path).size;
  }

  /** When each counted object was written so far. */
  async times(): Promise<Map<string, number[]>> {
    const file = await open(this.#path);
    try {
      for (let length = 1; length > 0; ) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(2 ** 20), 0, 2 ** 20, this.#position);
        this.#position += bytesRead;
        const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) if (line.includes(this.#namespace)) this.#take(line);
        length = bytesRead;
      }
    } finally {
      await file.close();
    }
    for (const list of this.#times.values()) list.sort((a, b) => a - b);
    return this.#times;
  }

  #take(line: string): void {
    const { objectRef, stage, stageTimestamp } = parseLine(line) ?? {};
    const { namespace, name, resource } = objectRef ?? {};
    if (namespace !== this.#namespace || resource !== COUNTED || stage !== 'ResponseComplete' || !name) return;
    const list = this.#times.get(name) ?? [];
    this.#times.set(name, list);
    list.push(Date.parse(String(stageTimestamp)));
  }
}

interface Line {
  objectRef?: { namespace?: string; name?: string; resource?: string };
  stage?: string;
  stageTimestamp?: string;
}

/** A line that a killed API server tore has the next event glued to it: the torn one was never logged. */
function parseLine(text: string): Line | undefined {
  for (const start of [0, text.lastIndexOf('{"kind":"Event"')]) {
    try {
      return JSON.parse(text.slice(start)) as Line;
    } catch {}
  }
  return undefined;
}

/**
 * The last fact of each object says how many writes were counted up to its end; every object ends with a step of writes, so that it is one
 * of them. Every fact before must say the truth, or that there is a gap. Without order only the whole can be compared.
 */
export function weighCounts(facts: CountedFact[], { times, isOrdered }: CountedWrites) {
  const sum = { expected: 0, lost: 0, inGap: 0, untrue: [] as string[] };
  for (const [name, list] of times) {
    const own = facts.filter((fact) => fact.name === name).sort((a, b) => a.writes - b.writes);
    const last = own.at(-1);
    const isClosed = last !== undefined && last.end >= (list.at(-STEP) as number);
    const known = isClosed && isOrdered ? atLeast(list, last) : list.length;
    const lost = Math.max(0, known - (last?.writes ?? 0));
    sum.expected += list.length;
    sum.lost += lost;
    if (isClosed && last.gap) sum.inGap += lost;
    for (const [index, fact] of own.entries()) {
      const most = list.filter((at) => at <= fact.end).length;
      const told = `${fact.writes} writes of ${name} until ${new Date(fact.end).toISOString()}`;
      if (fact.writes > most) sum.untrue.push(`${told} were only ${most}`);
      if (isOrdered && !fact.gap && fact.writes < atLeast(list, fact)) sum.untrue.push(`${told} were ${most}, and no gap is told`);
      if (fact.writes !== (index + 1) * STEP) sum.untrue.push(`the fact before "${told}" is missing`);
    }
  }
  return sum;
}

/** The records of the very millisecond may or may not be in it. */
const atLeast = (list: number[], { end }: CountedFact): number => list.filter((at) => at < end).length + (list.includes(end) ? 1 : 0);
