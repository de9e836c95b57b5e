import { randomUUID } from 'node:crypto';
import { Engine } from '../../shared/engine.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import type { Pod } from '../../shared/kubernetes/pod-exec.ts';
import type { PodPort } from '../../shared/kubernetes/port-forward.ts';
import type { Request } from '../../shared/kubernetes/transport.ts';
import { keyOf } from '../../shared/open.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import type { Appointment } from '../../shared/schedule/schedule.ts';
import type { Sender } from '../../shared/sender.ts';
import { tellingBreakers } from './breaker-count.ts';
import type { Adapters, Answer, Invocation } from './handler.ts';
import { metricLine } from './log.ts';

/** A write is not begun with less time than this. Only one without an answer takes longer; it is then looked for by the next invocation. Milliseconds. */
const TO_WRITE = 15_000;

/** This invocation has too little time left; what it leaves in the outbox is done by the next. */
export class OutOfTimeError extends Error {
  override name = 'OutOfTimeError';
  /** Thrown before anything is sent: `execute` takes this as its proof that nothing was. */
  readonly sent = false;
}

/** Takes a fact or an appointment into the durable record, and does what the record asks for as long as there is time. */
export async function act(
  remediation: Remediation,
  work: { fact: Fact } | { appointment: Appointment },
  adapters: Adapters,
  invocation: Invocation,
): Promise<Answer> {
  const { state, schedule, artifacts, bus, sender, now, log } = adapters;
  const { requestId, left, signal } = invocation;
  const common = { remediation: remediation.name, requestId };
  const counting = tellingBreakers(state, remediation.limits, (scope) => {
    const counted = metricLine({ remediation: remediation.name }, { breakerOpened: 1 }, now());
    log({ level: 'warn', message: `The breaker ${scope} is open: too many fixes did not help`, requestId, ...counted });
  });
  const engine = new Engine({
    // Lambda gives a repeated event the same request id, and both may run at once.
    ...{ remediations: [remediation], state: counting, schedule, artifacts, now, owner: `${requestId}/${randomUUID()}` },
    bus: {
      async publish(event) {
        await bus.publish(event);
        const { state: reached, incident, cluster, because } = event.detail as Record<string, string>;
        const counted = metricLine({ remediation: remediation.name, state: reached ?? '' }, { incidentChanged: 1 }, now());
        log({ level: 'info', message: `${reached}: ${because}`, incident, cluster, requestId, ...counted });
      },
    },
    access(cluster, name) {
      const own = sender(cluster, name);
      const acting = within(own, signal);
      return { examine: () => new LiveCluster(cluster, own, artifacts, signal), sender: acting, announcer: acting };
    },
    onProblem: (message) => log({ level: 'error', message, ...common }),
    checkpoint(point, { kind }, incident) {
      // What was found is still stored and told in the last seconds; nothing else is begun.
      const late = kind === 'examine' ? signal.aborted : (kind === 'prepare' || kind === 'write') && (signal.aborted || left() < TO_WRITE);
      if (point === 'before' && late)
        throw new OutOfTimeError(
          `Incident ${incident.id}: too little time is left to ${kind}; it is done when the function is asked again`,
        );
    },
  });
  if ('fact' in work) {
    const { fact } = work;
    await engine.fact(remediation.name, fact);
    const object = remediation.subject ? remediation.subject(fact) : fact.object;
    const found = object && (await state.latest(keyOf(fact.cluster, object, remediation.name)));
    return found ? answerOf(found) : { taken: false, because: `Fact ${fact.id} is about no object of this remediation` };
  }
  const { appointment } = work;
  const known = await state.load(appointment.incident);
  if (known?.remediation !== remediation.name)
    return {
      taken: false,
      because: `Incident ${appointment.incident} is ${known ? `one of ${known.remediation}` : 'not in the state table'}`,
    };
  await engine.due(appointment);
  return answerOf((await state.load(appointment.incident)) ?? known);
}

const answerOf = ({
  id: incident,
  cluster,
  state,
  because,
}: {
  id: string;
  cluster: string;
  state: Extract<Answer, { taken: true }>['state'];
  because: string;
}): Answer => ({
  ...{ taken: true, incident, cluster, state, because },
});

/** Sends nothing any more once the invocation is over: Lambda may freeze it in between, and thaw it minutes later. What was sent is waited for. */
function within(sender: Sender, signal: AbortSignal): Sender {
  const check = () => {
    if (signal.aborted) throw new OutOfTimeError('The invocation is over: nothing more is sent');
  };
  const portForward = sender.portForward?.bind(sender);
  const exec = sender.exec?.bind(sender);
  return {
    async send(request: Request) {
      check();
      return sender.send(request);
    },
    ...(portForward && {
      async portForward(target: PodPort) {
        check();
        return portForward(target);
      },
    }),
    ...(exec && {
      async exec(target: Pod, command: string[], deadline: number) {
        check();
        return exec(target, command, deadline);
      },
    }),
  };
}
