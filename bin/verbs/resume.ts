import { remediationNames } from '../../infra/remediations.ts';
import { openState } from '../store.ts';
import { storeOptions, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'end a pause and close the breakers that ineffective fixes opened',
  usage: 'resume [REMEDIATION]',
  examples: ['kubemend resume', 'kubemend resume strimzi/upgrade-stale-crds'],
  options: storeOptions,
  positionals: { least: 0, most: 1 },
  async run(call) {
    const state = await openState(call);
    const [name] = call.positionals;
    if (name !== undefined && !remediationNames().includes(name))
      throw new UsageError(`There is no remediation "${name}". Run: kubemend mode`);
    await state.set(name ? `paused/${name}` : 'paused', undefined);
    if (name) await state.reset(`remediation/${name}`);
    for (const incident of await state.list()) if (!name || incident.remediation === name) await state.reset(`object/${incident.key}`);
    await state.reset('overall');
    if (!name) for (const remediation of remediationNames()) await state.reset(`remediation/${remediation}`);
    call.out(
      call.json
        ? JSON.stringify({ resumed: name ?? true })
        : `Resumed${name ? ` ${name}` : ''}: breakers closed, writes as the modes allow.`,
    );
    return 0;
  },
};
