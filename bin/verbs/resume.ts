import { loadRemediations, remediationNames } from '../../infra/remediations.ts';
import { describePause, describeStanding, standing } from '../standing.ts';
import { openState } from '../store.ts';
import { storeOptions, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'end all pauses (or that of one remediation) and close the breakers that ineffective fixes opened',
  usage: 'resume [REMEDIATION]',
  examples: ['kubemend resume', 'kubemend resume strimzi/upgrade-stale-crds'],
  options: storeOptions,
  positionals: { least: 0, most: 1 },
  async run(call) {
    const [name] = call.positionals;
    if (name !== undefined && !remediationNames().includes(name))
      throw new UsageError(`There is no remediation "${name}". Run: kubemend mode`);
    const state = await openState(call);
    const remediations = await loadRemediations();
    const before = await standing(state, remediations);
    const lifted = before.pauses.filter(({ remediation }) => name === undefined || remediation === name);
    // The breaker of everything is closed with each: whoever resumes one has looked at what did not help.
    const closed = before.breakers.filter(({ scope, remediation }) => name === undefined || remediation === name || scope === 'overall');
    for (const { remediation } of lifted) await state.set(remediation ? `paused/${remediation}` : 'paused', undefined);
    for (const { scope } of closed) await state.reset(scope);
    const after = await standing(state, remediations);
    const rest = { pauses: after.pauses.filter(({ remediation }) => !name || !remediation || remediation === name), breakers: [] };
    if (call.json) call.out(JSON.stringify({ resumed: name ?? true, lifted, closed, pauses: after.pauses, breakers: after.breakers }));
    else {
      for (const pause of lifted) call.out(`Lifted: the pause of ${pause.remediation ?? 'everything'} by ${describePause(pause)}`);
      for (const { scope, ineffective } of closed) call.out(`Closed: the breaker ${scope} (${ineffective} did not help)`);
      if (lifted.length + closed.length === 0) call.out(`There was no pause${name ? ` of ${name}` : ''}, and no breaker to close.`);
      for (const { says, fix } of describeStanding(rest)) call.out(`${says}. ${fix}`);
      if (rest.pauses.length === 0) call.out(`${name ?? 'Everything'} writes as the modes allow. See: kubemend mode`);
    }
    return 0;
  },
};
