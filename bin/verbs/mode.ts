import { remediationNames } from '../../infra/remediations.ts';
import { modeOf } from '../../shared/gates.ts';
import { againstAuto } from '../../shared/statistics.ts';
import { everyIncident, openState } from '../store.ts';
import { storeOptions, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'show or set what a remediation may do: shadow, approve or auto',
  usage: 'mode [REMEDIATION [shadow|approve|auto]] [--namespace NAME] [--yes]',
  examples: [
    'kubemend mode',
    'kubemend mode strimzi/upgrade-stale-crds approve',
    'kubemend mode strimzi/upgrade-stale-crds auto --namespace kafka-dev',
  ],
  options: {
    ...storeOptions,
    namespace: { type: 'string', help: 'only for objects in this namespace' },
    yes: { type: 'boolean', help: 'set auto though its record is not good enough for it' },
  },
  positionals: { least: 0, most: 2 },
  async run(call) {
    const state = await openState(call);
    const names = remediationNames();
    const [name, mode] = call.positionals;
    const namespace = text(call, 'namespace');
    if (name !== undefined && !names.includes(name))
      throw new UsageError(`There is no remediation "${name}"; there are: ${names.join(', ')}`);
    if (mode !== undefined && !['shadow', 'approve', 'auto'].includes(mode))
      throw new UsageError(`"${mode}" is no mode: shadow, approve or auto`);
    const against = name && mode === 'auto' ? againstAuto(await everyIncident(state), name, namespace) : undefined;
    if (against) call.err(`${against}. See: kubemend stats ${name}`);
    if (against && !call.values.yes) {
      call.err('Nothing is changed. To set it all the same: --yes');
      if (call.json) call.out(JSON.stringify({ changed: false, against }));
      return 1;
    }
    if (name && mode) await state.set(`mode/${name}${namespace ? `/${namespace}` : ''}`, mode);
    const shown = name ? [name] : names;
    const modes = await Promise.all(shown.map(async (remediation) => ({ remediation, mode: await modeOf(state, remediation, namespace) })));
    const exceptions = Object.entries(await state.settings()).filter(([key]) => /^mode\/[^/]+\/[^/]+\/[^/]+$/.test(key));
    if (call.json) call.out(JSON.stringify({ modes, namespaces: Object.fromEntries(exceptions) }));
    else {
      for (const entry of modes) call.out(`${entry.remediation.padEnd(40)} ${entry.mode}${namespace ? ` in ${namespace}` : ''}`);
      if (!namespace) for (const [key, value] of exceptions) call.out(`  ${key.slice(5).padEnd(38)} ${value}`);
    }
    return 0;
  },
};
