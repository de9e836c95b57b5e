import type { Step } from './plan.ts';
import { isZnodeStep } from './znode-step.ts';

/** A request leaves this process within this time after the attempt was stored, or not at all. Milliseconds. */
export const SEND_WITHIN_MS = 5_000;
/** Sent as `?timeout=`: kube-apiserver cancels a request that is not done by then (measured in test/end-to-end/request-timeout.test.ts). Seconds. */
export const REQUEST_TIMEOUT_S = 15;
/** This side stops waiting for the answer a little later. Milliseconds. */
export const ABORT_AFTER_MS = (REQUEST_TIMEOUT_S + 2) * 1_000;
/** How long the targets of a write stay leased: longer than a request may still take effect. Milliseconds. */
export const TARGET_LEASE_MS = 60_000;

/** For what is on its way when the time is over. */
const MARGIN_MS = 10_000;
/** Between the two reads that have to agree that a request did not take effect: a stopped etcd may still store it when it goes on (measured there too). */
export const CONFIRM_MISSING_MS = 5_000;
/** A deletion that Kafka's tool makes inside the pod ends with the tool: it gives up after 45 s (shared/zookeeper/shell.ts). */
const ZNODE_SETTLES_AFTER_MS = 90_000;

/** How long a request without an answer may still take effect, counted from any moment after its attempt was stored. Milliseconds. */
export const settlesAfter = (step: Step): number =>
  isZnodeStep(step) ? ZNODE_SETTLES_AFTER_MS : SEND_WITHIN_MS + REQUEST_TIMEOUT_S * 1_000 + MARGIN_MS;

/** Why a request may not be sent any more; undefined: it may. */
export type SendLimit = () => string | undefined;

/** Begins now. Two clocks: a stopped process loses time on the one, a stopped machine on the other. */
export function sendLimit(clocks: { now(): number; monotonic(): number }): SendLimit {
  const [wall, monotonic] = [clocks.now(), clocks.monotonic()];
  return () => {
    const elapsed = Math.max(clocks.monotonic() - monotonic, clocks.now() - wall);
    if (elapsed <= SEND_WITHIN_MS) return undefined;
    return `this process was stopped for ${Math.round(elapsed / 1_000)} s before it could send the request`;
  };
}
