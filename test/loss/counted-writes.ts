import { readFile } from 'node:fs/promises';
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

/** Reads the API server's audit log. */
export async function readCountedWrites(log: string, namespace: string): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  for (const text of (await readFile(log, 'utf8')).split('\n').slice(0, -1)) {
    const { objectRef, stage, stageTimestamp } = parseLine(text) ?? {};
    const { namespace: where, name, resource } = objectRef ?? {};
    if (where !== namespace || resource !== 'configmaps' || stage !== 'ResponseComplete' || !name?.startsWith(COUNTED)) continue;
    const list = times.get(name) ?? [];
    list.push(Date.parse(String(stageTimestamp)));
    times.set(name, list);
  }
  for (const list of times.values()) list.sort((a, b) => a - b);
  return times;
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
