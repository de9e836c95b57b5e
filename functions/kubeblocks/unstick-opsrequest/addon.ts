import type { Component } from './api.ts';
import { parentOf, type Situation } from './situation.ts';

/** Component definitions whose new member fetches all data from the others by itself, and is no voter of a quorum. */
const RESYNCS = [/^kafka-broker\b/, /^redis-\d/, /^mysql-\d/, /^apecloud-mysql\b/];

/** The component's definition: of the Cluster, or as the InstanceSet notes it. */
export const addonOf = (situation: Situation, component: Component): string =>
  component.componentDef ??
  situation.instanceSets.get(parentOf(situation, component.name))?.metadata.annotations?.['app.kubernetes.io/component'] ??
  'unknown';

/**
 * Taking an instance offline deletes its volume (unless `whenScaled: Retain`), and a kept one is old: either way the pod that comes back
 * must get its data from the others. A person agrees to that for every addon not known to do it.
 */
export const survivesResync = (addon: string): boolean => RESYNCS.some((known) => known.test(addon));
