import type { ObjectReference } from '../events/fact.ts';
import type { ObjectChanged } from '../events/object-changed.ts';
import type { Pattern } from '../events/pattern.ts';
import { validatePattern } from '../events/pattern-validate.ts';
import type { WritesCounted } from '../events/writes-counted.ts';
import type { Json } from './canonical.ts';
import type { Cluster } from './cluster.ts';
import { type Duration, milliseconds } from './duration.ts';
import type { Hints } from './hint.ts';
import type { Verdict } from './verdict.ts';
import type { Write } from './write.ts';

/** A fact's detail, as it triggered a remediation. */
export type Fact = ObjectChanged | WritesCounted;

/** Which of the four times `examine` is asked (DESIGN §2). */
export type Question = 'detect' | 'confirm' | 'before-write' | 'verify';

/** Which object to look at. A fact names it; everything else about the object is read. */
export type Subject = Pick<ObjectReference, 'group' | 'version' | 'resource' | 'kind' | 'namespace' | 'name' | 'uid'>;

/** What `examine` is given: the cluster to read, and of the fact that started it only the object and the values that `hints` picked. */
export interface Examination<H = object> {
  /** Claims of the newest fact. A fact only starts an examination: whatever decides a `fix` is read from `cluster`. */
  hints: Hints<H>;
  cluster: Cluster;
  question: Question;
  /** Milliseconds since the epoch: the only clock there is. */
  now: number;
  incident: {
    object: Subject;
    detectedAt: number;
    /** While the fix is verified: the live values it rested on. */
    fixed?: Record<string, Json> | undefined;
    /** The live values that each plan of this incident rested on, of which something was written; in order. */
    written?: Record<string, Json>[] | undefined;
    /** What the last `wait` asked to remember. */
    memory?: Json | undefined;
  };
}

/** A Kubernetes right of a remediation, as RBAC grants it. Those of a definition only read; the others are made from its `writes`. */
export interface Right {
  group: string;
  resources: string[];
  /** Pins the right to these names. */
  names?: string[];
  /** Names objects that only the one who installs it knows, with their namespaces, such as `zookeeper-pods`: granted for these objects only. */
  pinned?: string;
  /** The same, but until objects are named the right covers every object of the kind. */
  pinnable?: string;
  /** `cluster`: the kind has no namespaces, or objects of all namespaces are read; rights of single namespaces are not enough. */
  scope?: 'cluster';
  /** Of `pods/exec`: each command, as a regular expression (in the syntax that RE2 and JavaScript share) for each whole word. The admission policy refuses any other. */
  commands?: string[][];
  /** The same for the commands that change something: refused with the rights for shadow mode. */
  writeCommands?: string[][];
  verbs: ('get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete')[];
}

/** What a definition asks for besides its writes: to read, or to open streams into pods that are pinned. */
export type ReadRight =
  | (Right & { verbs: ('get' | 'list' | 'watch')[] })
  | (Right & { resources: 'pods/portforward'[]; pinned: string; verbs: ('get' | 'create')[] })
  | (Right & { resources: 'pods/exec'[]; pinned: string; commands: string[][]; writeCommands?: string[][]; verbs: ('get' | 'create')[] });

export interface Limits {
  /** Between the first and the second question. */
  confirmAfter: Duration;
  /** Known after-effects of the fix, not counted against it. */
  settleWithin: Duration;
  /** How long the cluster must stay clear before the fix is called verified. */
  stableFor: Duration;
  /** After this, a fix that is not verified is ineffective. */
  verifyWithin: Duration;
  /** How long a plan may be approved and executed. */
  expireAfter: Duration;
  /** Executions allowed on one object, on one remediation in one cluster, and by kubemend altogether: at most `executions` in `within`. */
  perObject: Budget;
  perRemediation: Budget;
  overall: Budget;
  /** Ineffective fixes until a breaker opens; a person closes it. */
  breakers: { object: number; remediation: number; overall: number };
}

export interface Budget {
  executions: number;
  within: Duration;
}

/** One failure pattern and its fix, as its author writes it. `H`: the hints it picks from a fact, inferred from `hints`. */
export interface Definition<H = object> {
  /** What it does, verb first. */
  title: string;
  /** The upstream defect. Shown to people. */
  cause: { issue: string; affects: string; because: string };
  /** Rule, exporter filter, local subscription and documentation in one. */
  when: Pattern | Pattern[];
  /** What it reads. */
  rights: ReadRight[];
  /** Everything it may write, its undo included: the engine and the API server refuse the rest. */
  writes: Write[];
  limits?: Partial<Limits>;
  /** Which object the failure is about, when it is not the one that was written: a release's pipeline, a CA Secret's Kafka. Pure; undefined: no incident. */
  subject?(fact: Fact): ObjectReference | undefined;
  /**
   * Picks values of a fact that `examine` may take as claims: to wait longer, to say more in a report. Pure; write it above `examine`,
   * whose hints get their types from it.
   */
  hints?(fact: Fact): H;
  examine(examination: Examination<NoInfer<H>>): Promise<Verdict>;
  /**
   * How `kubemend scan` asks, which has no fact. `kinds`: the kinds the failure is about, when they are not those of `when`.
   * `latent`: asked instead of `examine` where that needs counts: is the cause there, whether or not it hurts already?
   */
  scan?: { kinds?: Kind[]; latent?(examination: Examination<NoInfer<H>>): Promise<Verdict> };
  /** What stays possible although `examine` proved the failure, one thing an entry: for the page of this remediation. */
  risks?: string[];
  /** Names of environment variables that `examine` compares with words: a capture keeps their values. No credentials. */
  capture?: { env: string[] };
}

/** A kind of object: `{ group: 'kafka.strimzi.io', resource: 'kafkas' }`. */
export interface Kind {
  group: string;
  resource: string;
}

/** A definition with its name (the folder, `strimzi/upgrade-stale-crds`) and every limit. */
export interface Remediation extends Omit<Definition, 'when' | 'limits' | 'rights'> {
  name: string;
  when: Pattern[];
  /** All rights: those of the definition, those its writes need, and Events. */
  rights: Right[];
  limits: Limits;
}

/** What is known of a remediation where nobody examines: plain JSON, so that a function can hold it without its code. */
export type RemediationCard = Pick<Remediation, 'name' | 'title' | 'cause' | 'when' | 'limits'>;

/** Events about the object: part of every role, except in shadow mode. */
const EVENTS: Right = { group: 'events.k8s.io', resources: ['events'], verbs: ['create'] };

const DEFAULT_LIMITS: Limits = {
  confirmAfter: '30s',
  settleWithin: '30s',
  stableFor: '30s',
  verifyWithin: '10m',
  expireAfter: '15m',
  perObject: { executions: 2, within: '24h' },
  perRemediation: { executions: 10, within: '1h' },
  overall: { executions: 20, within: '1h' },
  breakers: { object: 2, remediation: 3, overall: 5 },
};

/** Declares a remediation; the one default export of a folder under `functions/`. */
export const remediation = <H extends object = object>(definition: Definition<H>): Definition<H> => definition;

/** Completes a definition with its name and the limits it did not set; `overrides` come from the one who runs it. Throws on an invalid pattern or duration, and on a right to write without a declared write. */
export function complete(name: string, definition: Definition, overrides: Partial<Limits> = {}): Remediation {
  const limits = { ...DEFAULT_LIMITS, ...definition.limits, ...overrides };
  for (const key of ['confirmAfter', 'settleWithin', 'stableFor', 'verifyWithin', 'expireAfter'] as const) milliseconds(limits[key]);
  const when = [definition.when].flat();
  when.forEach(validatePattern);
  if (!Array.isArray(definition.writes)) throw new Error(`${name}: writes is missing; a remediation that only reports declares []`);
  const writing = definition.rights.find(
    ({ pinned, verbs }) => pinned === undefined && (verbs as string[]).some((verb) => !READING.includes(verb)),
  );
  if (writing)
    throw new Error(`${name}: the right ${writing.verbs.join(', ')} on ${writing.resources.join(', ')} writes: declare it in writes`);
  return { ...definition, name, when, limits, rights: [...definition.rights, ...definition.writes.map(rightOf), EVENTS] };
}

const READING = ['get', 'list', 'watch'];

/** The right that a declared write needs. A server-side apply of an object that exists is a patch. */
const rightOf = ({ group, resource, names, pinnable, scope, operation }: Write): Right => ({
  group,
  resources: [resource],
  ...(names && { names }),
  ...(pinnable !== undefined && { pinnable }),
  ...(scope && { scope }),
  verbs: [operation === 'apply' ? 'patch' : operation],
});
