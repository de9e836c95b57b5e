import { loadRemediations } from '../../infra/remediations.ts';
import { MODES, modeOf } from '../../shared/guards.ts';
import { againstAuto } from '../../shared/statistics.ts';
import { describeStanding, standing } from '../standing.ts';
import { openState } from '../store.ts';
import { storeOptions, text, UsageError, type Verb } from '../verb.ts';

/** As Kubernetes names a namespace: an RFC 1123 label. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** `default` takes back what was set: the namespace follows the remediation again, the remediation is in shadow. */
const SETTABLE = [...MODES, 'default'];

export const verb: Verb = {
  summary: 'show or set what a remediation may do: shadow, approve or auto',
  usage: 'mode [REMEDIATION [shadow|approve|auto|default]] [--namespace NAME] [--yes]',
  examples: [
    'kubemend mode',
    'kubemend mode strimzi/upgrade-stale-crds approve',
    'kubemend mode strimzi/upgrade-stale-crds auto --namespace kafka-dev',
    'kubemend mode strimzi/upgrade-stale-crds default --namespace kafka-dev',
  ],
  options: {
    ...storeOptions,
    namespace: {
      type: 'string',
      help: 'only for this namespace; a plan has the strictest mode of its object and all its targets, and a cluster-wide target has the mode without --namespace; the mode "default" removes the exception',
    },
    yes: { type: 'boolean', help: 'set auto though its record is not good enough for it' },
  },
  positionals: { least: 0, most: 2 },
  async run(call) {
    const remediations = await loadRemediations();
    const names = remediations.map(({ name }) => name);
    const [name, mode] = call.positionals;
    const namespace = text(call, 'namespace');
    if (name !== undefined && !names.includes(name))
      throw new UsageError(`There is no remediation "${name}"; there are: ${names.join(', ')}`);
    if (mode !== undefined && !SETTABLE.includes(mode))
      throw new UsageError(`"${mode}" is no mode: shadow, approve or auto; default takes back what was set`);
    if (namespace !== undefined && mode !== 'default' && !NAMESPACE.test(namespace))
      throw new UsageError(`"${namespace.slice(0, 80)}" is no name of a namespace: at most 63 of a-z, 0-9 and -, as in kafka-dev`);
    const state = await openState(call);
    const against = name && mode === 'auto' ? againstAuto(await state.statistics(), name, namespace) : undefined;
    if (against) call.err(`${against}. See: kubemend stats ${name}`);
    if (against && !call.values.yes) {
      call.err('Nothing is changed. To set it all the same: --yes');
      if (call.json) call.out(JSON.stringify({ changed: false, against }));
      return 1;
    }
    if (name && mode) await state.set(`mode/${name}${namespace ? `/${namespace}` : ''}`, mode === 'default' ? undefined : mode);
    const shown = name ? [name] : names;
    const modes = await Promise.all(shown.map(async (remediation) => ({ remediation, mode: await modeOf(state, remediation, namespace) })));
    const set = Object.entries(await state.settings());
    const exceptions = set.filter(([key]) => shown.some((remediation) => key.startsWith(`mode/${remediation}/`)));
    const found = await standing(state, remediations);
    if (call.json) call.out(JSON.stringify({ modes, namespaces: Object.fromEntries(exceptions), ...found }));
    else {
      for (const entry of modes) call.out(`${entry.remediation.padEnd(40)} ${entry.mode}${namespace ? ` in ${namespace}` : ''}`);
      if (!namespace) for (const [key, value] of exceptions) call.out(`  ${key.slice(5).padEnd(38)} ${value}`);
      for (const { says, fix } of describeStanding(found)) call.out(`${says}. ${fix}`);
    }
    if (name && mode && !namespace && exceptions.length > 0)
      call.err(`The exceptions of namespaces stay. To remove one: kubemend mode ${name} default --namespace NAME`);
    return 0;
  },
};
