import { remediationNames } from '../../infra/remediations.ts';
import { pauseBy } from '../standing.ts';
import { openState } from '../store.ts';
import { storeOptions, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'stop all writes (or those of one remediation) at once; watching and planning go on',
  usage: 'pause [REMEDIATION]',
  examples: ['kubemend pause', 'kubemend pause strimzi/upgrade-stale-crds'],
  options: storeOptions,
  positionals: { least: 0, most: 1 },
  async run(call) {
    const [name] = call.positionals;
    if (name !== undefined && !remediationNames().includes(name))
      throw new UsageError(`There is no remediation "${name}". Run: kubemend mode`);
    await (await openState(call)).set(name ? `paused/${name}` : 'paused', pauseBy(call.environment.user, Date.now()));
    call.out(
      call.json
        ? JSON.stringify({ paused: name ?? true })
        : `Paused${name ? ` ${name}` : ''}. Nothing is written until: kubemend resume${name ? ` ${name}` : ''}`,
    );
    return 0;
  },
};
