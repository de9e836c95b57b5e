import type { Limits } from '../../shared/remediation.ts';
import type { State } from '../../shared/state/state.ts';

/** A state that tells when a fix that did not help opened a breaker: its scope, as in `remediation/strimzi/upgrade-stale-crds`. */
export const tellingBreakers = (state: State, { breakers }: Limits, opened: (scope: string) => void): State => {
  const most = (scope: string): number => breakers[(scope.split('/')[0] ?? 'overall') as keyof Limits['breakers']];
  // By hand: the methods of a class are no properties that could be spread.
  return new Proxy(state, {
    get(target, name) {
      if (name === 'tally')
        return async (scope: string, incident: string) => {
          const before = await target.tallied(scope);
          await target.tally(scope, incident);
          if (before < most(scope) && (await target.tallied(scope)) >= most(scope)) opened(scope);
        };
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
};
