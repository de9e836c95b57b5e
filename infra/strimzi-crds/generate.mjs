// Makes artifacts/strimzi/<version>.yaml.gz from the jars Strimzi publishes on Maven Central. Needs `mvn`, and Java 21 or newer for 0.49+.
//   npx node infra/strimzi-crds/generate.mjs [--java /path/to/java] [--work DIR] [--out DIR] [--generator 0.43.0] [version…]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { versions } from './versions.mjs';

const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
// biome-ignore lint/suspicious/noTemplateCurlyInString: Maven's property, as it stands in the POM
const installFolder = '${project.basedir}/../packaging/install/cluster-operator';
// biome-ignore lint/suspicious/noTemplateCurlyInString: Maven's property, as it stands in the POM
const separator = '${file.separator}';
const modelJars = ['kubernetes-model-core', 'kubernetes-model-common', 'kubernetes-model-networking', 'kubernetes-model-apiextensions'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    java: { type: 'string', default: 'java' },
    work: { type: 'string', default: join(tmpdir(), 'kubemend-strimzi-crds') },
    out: { type: 'string', default: join(import.meta.dirname, '../../artifacts') },
    generator: { type: 'string' },
  },
});

/** Fetches one file from Maven Central through `mvn` and returns its path. */
function fetchFromCentral(group, artifact, version, type = 'jar') {
  const path = join(values.work, `${artifact}-${version}.${type}`);
  if (!existsSync(path)) {
    execFileSync('mvn', ['-B', '-q', copyGoal, `-Dartifact=${group}:${artifact}:${version}:${type}`, `-DoutputDirectory=${values.work}`], {
      cwd: values.work,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return path;
}

/** The argument lists with which the release's own build wrote its install files: they are in the POM it published. */
function officialArguments(pom, folder) {
  return [...pom.matchAll(/<execution>.*?<\/execution>/gs)]
    .map(([execution]) => [...execution.matchAll(/<argument>(.*?)<\/argument>/g)].map(([, text]) => text.replaceAll(separator, '/')))
    .filter((all) => all.includes('io.strimzi.crdgenerator.CrdGenerator') && all.some((text) => text.includes(installFolder)))
    .map((all) => all.slice(all.indexOf('io.strimzi.crdgenerator.CrdGenerator')).map((text) => text.replace(installFolder, folder)));
}

/** A generator carries the Kubernetes model of its own release; a borrowed one needs that of the release in front (0.41.0 has no `appArmorProfile` yet). */
function classpath(version, generator) {
  const api = fetchFromCentral('io.strimzi', 'api', version);
  const generatorJar = fetchFromCentral('io.strimzi', 'crd-generator', generator);
  if (version === generator) return [api, generatorJar];
  const parent = readFileSync(fetchFromCentral('io.strimzi', 'strimzi', version, 'pom'), 'utf8');
  const fabric8 = /<fabric8\.kubernetes-model\.version>(.*?)</.exec(parent)?.[1];
  if (!fabric8) throw new Error(`The parent POM of Strimzi ${version} names no fabric8 model version. Look at it in ${values.work}.`);
  return [api, ...modelJars.map((name) => fetchFromCentral('io.fabric8', name, fabric8)), generatorJar];
}

function generate(version, generator) {
  const folder = join(values.work, `crds-${version}-by-${generator}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = classpath(version, generator).join(delimiter);
  const runs = officialArguments(readFileSync(fetchFromCentral('io.strimzi', 'api', version, 'pom'), 'utf8'), folder);
  if (runs.length === 0)
    throw new Error(`The POM of io.strimzi:api:${version} runs no CrdGenerator. Compare it with api/pom.xml at the tag.`);
  for (const run of runs) execFileSync(values.java, ['-cp', path, ...run], { stdio: ['ignore', 'ignore', 'pipe'] });
  const documents = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  return documents.map((text) => `---\n${text.replace(/^---\n/, '').trimEnd()}\n`).join('');
}

function source(version, generator) {
  const borrowed =
    version === generator ? '' : ` and the fabric8 model of Strimzi ${version} (its own crd-generator is not on Maven Central)`;
  return `io.strimzi.crdgenerator.CrdGenerator over io.strimzi:api:${version} with the arguments of its POM, run by crd-generator ${generator}${borrowed}`;
}

/** Level 9 with the "unknown" operating system byte: the same text gives the same file everywhere (Node writes no time stamp). */
function deterministicGzip(text) {
  const zipped = gzipSync(text, { level: 9 });
  zipped[9] = 255;
  return zipped;
}

mkdirSync(values.work, { recursive: true });
mkdirSync(join(values.out, 'strimzi'), { recursive: true });
const indexPath = join(values.out, 'index.json');
const asked = positionals.length > 0 ? positionals : versions.map(({ version }) => version);
for (const version of asked) {
  const generator = values.generator ?? versions.find((one) => one.version === version)?.generator;
  if (!generator) throw new Error(`Strimzi ${version} is not in infra/strimzi-crds/versions.mjs. Add it there, or name a --generator.`);
  const text = generate(version, generator);
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(values.out, 'strimzi', `${version}.yaml.gz`), deterministicGzip(text));
  const index = existsSync(indexPath) ? JSON.parse(readFileSync(indexPath, 'utf8')) : {};
  index[`strimzi/${version}`] = { sha256, source: source(version, generator) };
  const sorted = Object.fromEntries(Object.entries(index).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
  writeFileSync(indexPath, `${JSON.stringify(sorted, undefined, 2)}\n`);
  console.log(`${version}: ${text.split('\n---\n').length} CRDs, ${text.length} characters, sha256 ${sha256}`);
}
