import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

type Amounts = Record<string, string | number> | undefined;
/** What a container may use. */
export interface Resources {
  requests?: Amounts;
  limits?: Amounts;
}

const UNITS: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** A Kubernetes quantity (`500m`, `1Gi`, `2`) as a number; NaN for what is none, which equals nothing. */
export function quantity(value: string | number): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(String(value)) ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
}

/** Whether every amount of `wanted` is exactly what `actual` has; other amounts of `actual` do not matter. */
export const covers = (actual: Resources | undefined, wanted: Resources): boolean =>
  (['requests', 'limits'] as const).every((kind) =>
    Object.entries(wanted[kind] ?? {}).every(([name, amount]) => quantity(actual?.[kind]?.[name] ?? '') === quantity(amount)),
  );

/** Whether a container of the pod has exactly these amounts. Nothing wanted is nothing proven: false. */
export function hasResources(pod: KubernetesObject, wanted: Resources): boolean {
  const containers = (pod.spec?.containers ?? []) as { resources?: Resources }[];
  const asked = Object.keys({ ...wanted.requests, ...wanted.limits }).length > 0;
  return asked && containers.some(({ resources }) => covers(resources, wanted));
}
