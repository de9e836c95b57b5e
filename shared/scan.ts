import { asRecord } from '../events/exporter/as-record.ts';
import type { ObjectReference } from '../events/fact.ts';
import { OBJECT_CHANGED, type ObjectChanged } from '../events/object-changed.ts';
import { matches, type Pattern } from '../events/pattern.ts';
import { hashOf, type Json } from './canonical.ts';
import { milliseconds } from './duration.ts';
import { examine, type Recorder } from './examine.ts';
import { subjectOf } from './hand-in.ts';
import { isSecret } from './kubernetes/metadata-only.ts';
import { type KubernetesObject, nameOf } from './kubernetes/object.ts';
import { open } from './open.ts';
import type { Kind, Remediation } from './remediation.ts';
import type { Verdict } from './verdict.ts';

/** What a scan works with. */
export interface ScanOptions {
  remediations: Remediation[];
  cluster: string;
  /** A fresh view for each question. */
  view(): Recorder;
  /** The version a kind is served in; undefined where it is not served. Throws when that cannot be known. */
  resolve(kind: Kind): Promise<{ version: string } | undefined>;
  now(): number;
  wait(ms: number): Promise<unknown>;
  /** How long to ask again where the answer is `wait`, milliseconds. */
  patience: number;
  onProgress(line: string): void;
}

/** An object and what a remediation says about it. */
export interface Found {
  remediation: string;
  object: ObjectReference;
  verdict: Verdict;
}

/** What a scan found. A doubt is no finding and no all-clear. */
export interface ScanResult {
  findings: Found[];
  /** Still `wait` when the patience was over: something is under way. */
  undecided: Found[];
  doubts: { remediation: string; about: string; because: string }[];
  asked: number;
}

interface Asked {
  remediation: Remediation;
  object: ObjectReference;
  fact: ObjectChanged;
  since: number;
  at: number;
  memory?: Json | undefined;
}

/** Asks every remediation about every object of its kinds, now, without a fact. It reads; there is nothing that could write. */
export async function scan(options: ScanOptions): Promise<ScanResult> {
  const { remediations, now, wait, patience, onProgress } = options;
  const result: ScanResult = { findings: [], undecided: [], doubts: [], asked: 0 };
  const listed = await Promise.all(remediations.map((remediation) => questionsOf(remediation, options, result)));
  let pending = listed.flat();
  result.asked = pending.length;
  const deadline = now() + patience;
  while (pending.length > 0) {
    const next = Math.min(...pending.map(({ at }) => at));
    if (next > now()) await wait(next - now());
    const due = pending.filter(({ at }) => at <= now());
    pending = pending.filter((one) => !due.includes(one));
    for (const one of due) {
      const again = await ask(one, options, deadline, result);
      if (again) pending.push(again);
    }
    if (pending.length > 0)
      onProgress(`${pending.length} not decided yet: asking again for ${Math.ceil((deadline - now()) / 1_000)} s at most`);
  }
  return result;
}

/** The objects a remediation is asked about: those of its `scan`, else those of the kinds its rule names, as far as the rule says of `current` holds. */
async function questionsOf(remediation: Remediation, options: ScanOptions, { doubts }: ScanResult): Promise<Asked[]> {
  const { view, resolve, now, onProgress } = options;
  const asked = new Map<string, Asked>();
  for (const kind of remediation.scan?.kinds ?? kindsOf(remediation)) {
    const about = `${kind.resource}${kind.group && `.${kind.group}`}`;
    try {
      const served = await resolve(kind);
      if (!served) continue;
      const objects = await view().list({ ...kind, version: served.version });
      onProgress(`${remediation.name}: ${objects.length} ${about}`);
      for (const live of objects) {
        const fact = factOf(options, { ...kind, version: served.version }, live);
        const named = remediation.scan?.kinds !== undefined;
        const object = named ? fact.object : subjectOf(remediation, fact);
        if (!object || !(named || remediation.when.some((pattern) => holds(pattern, fact)))) continue;
        asked.set(nameOf(object), { remediation, object, fact, since: now(), at: now() });
      }
    } catch (error) {
      doubts.push({ remediation: remediation.name, about, because: (error as Error).message });
    }
  }
  return [...asked.values()];
}

async function ask(
  one: Asked,
  { view, now }: ScanOptions,
  deadline: number,
  { findings, undecided, doubts }: ScanResult,
): Promise<Asked | undefined> {
  const { remediation, object, fact, since, memory } = one;
  const asking = { ...remediation, examine: remediation.scan?.latent ?? remediation.examine };
  try {
    const incident = { ...open(fact, object, remediation.name, 0, since), memory };
    const { verdict } = await examine(asking, incident, 'detect', view(), now());
    const found = { remediation: remediation.name, object, verdict };
    if (verdict.kind === 'fix' || verdict.kind === 'report') findings.push(found);
    if (verdict.kind !== 'wait') return undefined;
    const at = now() + milliseconds(verdict.again);
    if (at <= deadline) return { ...one, at, memory: verdict.remember ?? memory };
    undecided.push(found);
  } catch (error) {
    doubts.push({ remediation: remediation.name, about: nameOf(object), because: (error as Error).message });
  }
  return undefined;
}

/** An object as if a list had just shown it: nobody saw it change, so nothing may be concluded from what was not seen. */
function factOf(
  { cluster, now }: ScanOptions,
  { group, version, resource }: Kind & { version: string },
  live: KubernetesObject,
): ObjectChanged {
  const { namespace, name, uid, generation, resourceVersion } = live.metadata;
  const object = {
    group,
    version,
    resource,
    ...(live.kind && { kind: live.kind }),
    ...(namespace && { namespace }),
    name,
    ...(uid && { uid }),
    ...(generation !== undefined && { generation }),
    ...(resourceVersion && { resourceVersion }),
  };
  const current = (isSecret({ group, resource }) ? { metadata: live.metadata } : live) as Record<string, unknown>;
  return {
    id: hashOf(['scan', cluster, object]).slice(0, 32),
    cluster,
    observedAt: new Date(now()).toISOString(),
    coverage: { sources: ['watch'], gap: true, dropped: 0 },
    ...{ object, change: 'modified', changed: [], phantom: false, current, previous: current },
  };
}

function kindsOf({ when }: Remediation): Kind[] {
  const all = when.flatMap((pattern) => {
    const { group, resource } = asRecord(asRecord(pattern.detail).object) as { group?: string[]; resource?: string[] };
    return (group ?? []).flatMap((one) => (resource ?? []).map((name) => ({ group: one, resource: name })));
  });
  return [...new Map(all.map((kind) => [`${kind.group}/${kind.resource}`, kind])).values()];
}

/** Whether what a rule says of the object's state holds. What it says of a change, or counts, is no question to a state. */
function holds(pattern: Pattern, fact: ObjectChanged): boolean {
  const { object, current, previous, $or } = asRecord(pattern.detail) as Pattern;
  const detail = { ...(object && { object }), ...(current && { current }), ...(previous && { previous }), ...($or && { $or }) };
  return matches({ detail } as Pattern, { source: 'kubernetes', 'detail-type': OBJECT_CHANGED, detail: fact } as never);
}
