import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { it } from '@jest/globals';
import { parseCrds } from './crd.ts';
import { schemaLosses } from './crd-schema.ts';
const load = (v: string) => parseCrds(gunzipSync(readFileSync(join(import.meta.dirname, '../../artifacts/strimzi', `${v}.yaml.gz`))).toString());
it('x', () => {
  const vs = ['0.37.0','0.38.0','0.39.0','0.40.0','0.41.0','0.42.0','0.43.0','0.44.0','0.45.0','0.46.0','0.46.1','0.47.0','0.48.0','0.49.0','1.2.0'];
  const all = new Map(vs.map((v) => [v, load(v)]));
  const out: string[] = [];
  for (const [a, b] of [...vs.slice(1).map((v, i) => [vs[i], v]), ['0.41.0', '0.43.0'],['0.43.0','0.48.0']] as [string, string][]) {
    let n = 0; const sample: string[] = [];
    for (const live of all.get(a)!) {
      const target = all.get(b)!.find((c) => c.metadata.name === live.metadata.name);
      if (!target) { out.push(`${a}->${b} no ${live.metadata.name}`); continue; }
      const l = schemaLosses(live, target); n += l.length; sample.push(...l.slice(0, 12).map((x) => `   ${live.metadata.name} ${x}`));
    }
    out.push(`${a}->${b}: ${n}`, ...sample.slice(0, 14));
  }
  console.log(out.join('\n'));
});
