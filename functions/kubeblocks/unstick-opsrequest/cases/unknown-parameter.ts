import { milliseconds } from '../../../../shared/duration.ts';
import { abort } from '../abort.ts';
import type { Case } from '../case.ts';

/** KubeBlocks #9540: Reconfiguring. */
export const unknownParameter: Case = {
  issue: '#9540',
  affects: 'up to 1.0.0; fixed in 1.0.1',
  because: 'a parameter that no configuration describes is an error that is tried again for ever',
  types: ['Reconfiguring'],
  phases: ['Running'],
  async ask(situation) {
    const { op, read, age } = situation;
    // 0.9 knows no Parameter objects: nothing is proven there.
    if (age < milliseconds('30s') || situation.opReference.group !== 'operations.kubeblocks.io') return undefined;
    const { namespace, name } = op.metadata;
    const parameter = await read.get({ group: 'parameters.kubeblocks.io', version: 'v1alpha1', resource: 'parameters', namespace, name });
    const message = /not found config description[^"]*/.exec(JSON.stringify(parameter?.status ?? {}))?.[0];
    return message ? abort(this, situation, 'it sets a parameter that nothing describes', { message }) : undefined;
  },
};
