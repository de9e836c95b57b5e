import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The memory limit that the chart gives the exporter, in MiB. Throws when the chart states it in another unit. */
export function chartLimitMiB(): number {
  const values = parse(readFileSync(join(import.meta.dirname, '../infra/kubernetes/chart/values.yaml'), 'utf8'));
  const [, mebibytes] = /^(\d+)Mi$/.exec(String(values.resources.limits.memory)) ?? [];
  if (mebibytes === undefined) throw new Error('resources.limits.memory of the chart is not a number of Mi.');
  return Number(mebibytes);
}
