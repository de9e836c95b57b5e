import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { HIT_GROUPS } from './corpus.ts';
import { isExecutable } from './measure.ts';

/** Another program that does the same task: reads a log, writes the whole lines of the writes on five groups. */
export interface Peer {
  name: string;
  /** Of its release, as it says itself. */
  version: string;
  command: string[];
  env?: Record<string, string>;
  /** For one that follows the file: ends it when it is done. */
  until?: (child: ChildProcess) => Promise<void>;
}

const run = promisify(execFile);
const VERBS = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const quoted = (list: string[], quote = '"'): string => list.map((one) => `${quote}${one}${quote}`).join(',');
const FILTER = `select((.objectRef.apiGroup // "" | IN(${quoted(HIT_GROUPS)})) and (.verb | IN(${quoted(VERBS)})))`;

/** Where a peer can be, or an error that says why it cannot be had. */
type Make = (log: string, out: string, cache: string) => Promise<Peer>;

/** Makes the peers; each rejects with the reason when it is not available. */
export const PEERS: Record<string, Make> = { fastjson, duckdb, jq: jqLike('jq'), gojq: jqLike('gojq'), rsyslog };

function jqLike(name: string): Make {
  return async (log, out, cache) => {
    const binary = await found(name, `/usr/bin/${name}`, [name], cache);
    const { stdout } = await run(binary, ['--version']);
    return { name, version: stdout.trim(), command: ['sh', '-c', `"$0" -c '${FILTER}' "$1" > "$2"`, binary, log, out] };
  };
}

async function fastjson(log: string, out: string, cache: string): Promise<Peer> {
  const source = join(import.meta.dirname, 'peers/fastjson');
  const binary = join(cache, 'fastjson');
  mkdirSync(cache, { recursive: true });
  await run('go', ['build', '-o', binary, '.'], { cwd: source });
  const version = /fastjson (v\S+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1] ?? '';
  return { name: 'Go fastjson', version, command: [binary, log, out, HIT_GROUPS.join()] };
}

/** The node that started the benchmark runs DuckDB's binding; it is no dependency of kubemend. */
async function duckdb(log: string, out: string, cache: string): Promise<Peer> {
  const folder = join(cache, 'duckdb');
  if (!existsSync(join(folder, 'node_modules/@duckdb/node-api'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await run('npm', ['install', '--no-audit', '--no-fund', '@duckdb/node-api'], { cwd: folder });
  }
  const script = join(folder, 'select.mjs');
  const hit = `(json->>'$.objectRef.apiGroup') IN (${quoted(HIT_GROUPS, "'")}) AND (json->>'$.verb') IN (${quoted(VERBS, "'")})`;
  const from = `read_ndjson_objects('${log}')`;
  const copy = `COPY (SELECT json FROM ${from} WHERE ${hit}) TO '${out}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\\x01')`;
  writeFileSync(
    script,
    `import { DuckDBInstance } from '@duckdb/node-api';\nconst db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();\nawait db.run(${JSON.stringify(copy)});\n`,
  );
  const installed = JSON.parse(readFileSync(join(folder, 'node_modules/@duckdb/node-api/package.json'), 'utf8')).version;
  return { name: 'DuckDB', version: installed, command: [process.execPath, script] };
}

async function rsyslog(log: string, out: string, cache: string): Promise<Peer> {
  const binary = await found('rsyslogd', '/usr/sbin/rsyslogd', ['rsyslog', 'libestr0', 'libfastjson4', 'liblognorm5'], cache);
  const libraries = '/usr/lib/x86_64-linux-gnu';
  const root = binary.startsWith(cache) ? join(cache, 'debian') : '';
  const env = { LD_LIBRARY_PATH: join(root, libraries) };
  const { stdout } = await run(binary, ['-v'], { env });
  const work = join(cache, `rsyslog-${process.pid}-${Date.now()}`);
  mkdirSync(work, { recursive: true });
  const config = join(work, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${work}" maxMessageSize="1m")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
template(name="raw" type="string" string="%msg%\\n")
ruleset(name="hits" queue.type="direct") {
  action(type="mmjsonparse" cookie="" useRawMsg="off")
  if $!objectRef!apiGroup == [${quoted(HIT_GROUPS)}] and $!verb == [${quoted(VERBS)}] then
    action(type="omfile" file="${out}" template="raw" asyncWriting="off" ioBufferSize="64k" flushOnTXEnd="off" dynaFileCacheSize="1")
}
input(type="imfile" file="${log}" tag="audit" ruleset="hits" freshStartTail="off")
`,
  );
  const command = [binary, '-n', '-f', config, '-i', join(work, 'pid'), '-M', join(root, libraries, 'rsyslog')];
  return {
    name: 'rsyslog',
    version: /rsyslogd\s+(\S+)/.exec(stdout)?.[1] ?? '',
    command,
    env,
    until: () => untilQuiet(out, join(work, 'pid')),
  };
}

/** It follows the file: done is when its output has not grown for three seconds. */
async function untilQuiet(out: string, pidFile: string): Promise<void> {
  const size = () => (existsSync(out) ? statSync(out).size : 0);
  for (let last = -1, quiet = 0; quiet < 6; ) {
    await delay(500);
    const now = size();
    quiet = now === last && (now > 0 || quiet > 60) ? quiet + 1 : 0;
    last = now;
  }
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
}

/** A binary that is installed, or one that is taken out of Debian's packages, which needs no root. */
async function found(name: string, installed: string, packages: string[], cache: string): Promise<string> {
  if (isExecutable(installed)) return installed;
  const root = join(cache, 'debian');
  const unpacked = [join(root, 'usr/bin', name), join(root, 'usr/sbin', name)];
  const there = unpacked.find(isExecutable);
  if (there) return there;
  mkdirSync(root, { recursive: true });
  await run('apt-get', ['download', ...packages], { cwd: root });
  await run('sh', ['-c', 'for package in *.deb; do dpkg -x "$package" . && rm "$package"; done'], { cwd: root });
  const binary = unpacked.find(isExecutable);
  if (!binary) throw new Error(`${packages[0]} holds no ${name}.`);
  return binary;
}
