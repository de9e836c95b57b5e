import { describe, expect, it } from '@jest/globals';
import { except, found, importsOf, isDeployed, isTest, layerOf, SOURCES } from './sources.ts';

/** Each may import what stands before it. */
const LAYERS = ['events', 'shared', 'functions', 'infra', 'bin'];
/** The folders of the exporter, and whose modules each may know: none knows what comes after it on the way of the data. */
const EXPORTER: Record<string, string[]> = {
  spool: [],
  watch: ['spool'],
  audit: ['spool'],
  reduce: ['watch', 'audit'],
  sink: ['spool'],
  health: [],
};
/** What lies beside the exporter's folders joins them and is known to none of them, but for these. */
const EXPORTER_BASE = ['events/exporter/as-record.ts', 'events/exporter/wait.ts'];

it('The test sees the sources', () => {
  expect(SOURCES.length).toBeGreaterThan(80);
  expect(SOURCES.flatMap(importsOf).length).toBeGreaterThan(200);
});

describe('imports point one way', () => {
  const edges = SOURCES.flatMap((source) => importsOf(source).map((to) => ({ source, to, text: `${source.path} imports ${to}` })));

  it('events ← shared ← functions ← infra ← bin', () => {
    const wrong = edges.filter(({ source, to }) => {
      const [from, target] = [LAYERS.indexOf(layerOf(source.path)), LAYERS.indexOf(layerOf(to))];
      return from >= 0 && target > from;
    });
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('only tests, benchmarks, and bin for its sandbox, import test/', () => {
    const wrong = edges.filter(
      ({ source, to }) => layerOf(to) === 'test' && !isTest(source) && !['test', 'bench', 'bin'].includes(layerOf(source.path)),
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('nobody imports a test', () => {
    expect(edges.filter(({ to }) => to.endsWith('.test.ts')).map(({ text }) => text)).toEqual([]);
  });

  it('spool ← watch, audit ← reduce, and spool ← sink, within the exporter', () => {
    const folder = (path: string): string | undefined => /^events\/exporter\/([^/]+)\//.exec(path)?.[1];
    const inside = edges.flatMap((edge) => {
      const from = isDeployed(edge.source) ? folder(edge.source.path) : undefined;
      return from !== undefined && edge.to.startsWith('events/exporter/') ? [{ ...edge, from, target: folder(edge.to) }] : [];
    });
    expect([...new Set(inside.map(({ from }) => from))].sort()).toEqual(Object.keys(EXPORTER).sort());
    const wrong = inside.filter(({ from, target, to }) =>
      target === undefined ? !EXPORTER_BASE.includes(to) : target !== from && !EXPORTER[from]?.includes(target),
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });

  it('one remediation does not know another', () => {
    const folder = (path: string): string => path.split('/').slice(0, 2).join('/');
    const wrong = edges.filter(
      ({ source, to }) => layerOf(source.path) === 'functions' && layerOf(to) === 'functions' && folder(source.path) !== folder(to),
    );
    expect(wrong.map(({ text }) => text)).toEqual([]);
  });
});

describe('a cluster is written in one module', () => {
  const WRITERS = {
    'shared/execute.ts': 'the one module that writes, from a plan and under its lock',
    'shared/announce.ts': 'tells people about an object, in Events and nothing else',
    'shared/slack/client.ts': 'posts to Slack; it knows no cluster',
    'shared/slack/respond.ts': 'answers a click, at an address of Slack',
    'shared/kubernetes/transport.ts': 'names the methods it can carry, sends none by itself',
    'events/exporter/audit/audit-webhook.ts': 'receives the POST of the API server',
    'infra/kubernetes/admission.ts': 'names the requests that a policy allows; it sends none',
    'shared/artifacts/bucket.ts': 'writes to the bucket of artifacts, never to a cluster',
  };

  it('no other source names a writing method', () => {
    expect(found(except(SOURCES.filter(isDeployed), WRITERS), /(['"`])(POST|PUT|PATCH|DELETE)\1/)).toEqual([]);
  });

  it('no other source makes a method out of something else', () => {
    expect(found(except(SOURCES.filter(isDeployed), WRITERS), /\bmethod\s*:(?!\s*['"`]GET['"`])|\[['"`]method/)).toEqual([]);
  });

  it('what needs no plan can create Events only, and only the engine asks it to', () => {
    const [announcer] = SOURCES.filter(({ path }) => path === 'shared/announce.ts');
    expect(announcer?.code.match(/method: '[A-Z]+', path\b[^,]*/g)).toEqual(["method: 'POST', path", "method: 'GET', path: pathOf(object"]);
    expect(announcer?.code.match(/const path = .*/g)).toEqual([
      expect.stringMatching(/^const path = pathOf\(\{ \.\.\.EVENTS, namespace: [\w.]+ \}\);$/),
    ]);
    expect(announcer?.code).toMatch(/^const EVENTS = \{ group: 'events\.k8s\.io', version: 'v1', resource: 'events' \};$/m);
    const importers = (module: string) => SOURCES.filter((source) => isDeployed(source) && importsOf(source).includes(module));
    const announcing = importers('shared/announce.ts').filter(({ code }) => /import \{[^}]*\bannounce\b[^}]*\} from/.test(code));
    expect(announcing.map(({ path }) => path)).toEqual(['shared/tell.ts']);
    expect(importers('shared/tell.ts').map(({ path }) => path)).toEqual(['shared/engine.ts']);
  });

  it('who speaks to Slack knows no cluster', () => {
    const speakers = SOURCES.filter(({ path }) => /^shared\/slack\/(client|respond)\.ts$/.test(path));
    expect(speakers.flatMap(importsOf)).toEqual(['shared/slack/blocks.ts', 'shared/slack/blocks.ts']);
  });

  it('nobody else speaks HTTP', () => {
    const speakers = {
      'shared/kubernetes/transport.ts': 'the one transport to an API server',
      'shared/slack/client.ts': 'Slack, at its one address',
      'shared/slack/respond.ts': 'Slack, at the address of a click',
      'infra/local/slack-server.ts': 'a server: Slack speaks to it',
      'events/exporter/audit/audit-webhook.ts': 'a server: the API server speaks to it',
      'shared/kubernetes/upgrade.ts': 'the WebSocket of a port-forward or an exec, which the transport opens',
      'shared/kubernetes/port-forward.ts': 'its frames',
      'shared/kubernetes/pod-exec.ts': 'its frames',
      'events/exporter/health/probes.ts': 'a server: Prometheus and the kubelet speak to it',
      'shared/artifacts/bucket.ts': 'speaks to S3',
    };
    expect(
      found(
        except(SOURCES.filter(isDeployed), speakers),
        /['"](node:)?https?2?['"]|['"]undici['"]|\bfetch\(|kubernetes\/client-node|['"]ws['"]/,
      ),
    ).toEqual([]);
  });

  it('only the engine executes, and only its preparation rehearses', () => {
    const importers = (name: RegExp) => SOURCES.filter((source) => isDeployed(source) && name.test(source.code)).map(({ path }) => path);
    expect(importers(/import \{[^}]*\bexecute\b[^}]*\} from '[^']*\/execute\.ts'/)).toEqual(['shared/write-step.ts']);
    expect(importers(/import \{[^}]*\brehearse\b[^}]*\} from '[^']*\/execute\.ts'/)).toEqual(['shared/prepare.ts']);
  });

  it('one function reads what forbids a write, and preparing and writing ask it', () => {
    const importers = (name: string) =>
      SOURCES.filter((source) => isDeployed(source) && new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from`).test(source.code)).map(
        ({ path }) => path,
      );
    expect(importers('guardWrite')).toEqual(['shared/prepare.ts', 'shared/write-step.ts']);
    for (const guard of ['pausedBy', 'openBreaker', 'spendBudgets'])
      expect([guard, ...importers(guard)]).toEqual([guard, 'shared/guard-write.ts']);
    const [write] = SOURCES.filter(({ path }) => path === 'shared/write-step.ts');
    expect(write?.code.match(/execute\(\{[^}]*\}\)/g)).toEqual([expect.stringMatching(/\bguard\b.*\bsendLimit\b/)]);
  });

  it('only one module, a part of execute, writes to ZooKeeper', () => {
    const writers = {
      'shared/execute-znode.ts': 'called by execute, for its steps on nodes of ZooKeeper',
      'shared/zookeeper/client.ts': 'defines the requests, sends none by itself',
      'shared/zookeeper/znodes.ts': 'passes them on to whoever holds a session',
      'shared/zookeeper/shell.ts': 'defines the commands, runs none by itself',
      'shared/zookeeper/reach.ts': 'opens it for the two below',
      'shared/kubernetes/transport.ts': 'runs a command in a pod for reach.ts',
      'shared/kubernetes/pod-exec.ts': 'its frames',
    };
    const writes = /\b(deleteZnode|createZnode|overSession|overShell)\b|\bznodes\.(remove|create)\(|\bexecInPod\(|\bexec\.call\(/;
    expect(found(except(SOURCES.filter(isDeployed), writers), writes)).toEqual([]);
    const openers = SOURCES.filter((source) => isDeployed(source) && /\batZookeeper\(/.test(source.code)).map(({ path }) => path);
    expect(openers).toEqual(['shared/execute-znode.ts', 'shared/kubernetes/live-cluster.ts']);
    expect(found(except(SOURCES.filter(isDeployed), { 'shared/execute.ts': '' }), /import \{[^}]*executeZnode/)).toEqual([]);
  });

  it('no examination can write: functions know neither who sends nor who executes', () => {
    const functions = SOURCES.filter((source) => layerOf(source.path) === 'functions' && !isTest(source));
    const modules = /import (?!type)[^;]*\b(execute|rehearse|prepare|Engine|Transport)\b[^;]*;|\bimport\(|\.send\(/;
    expect(functions.filter(({ code }) => modules.test(code.replace(/from '[^']*'/g, ''))).map(({ path }) => path)).toEqual([]);
  });
});

describe('a fact decides nothing', () => {
  const authored = SOURCES.filter(
    (source) => /^functions\/(?!kubemend\/)/.test(source.path) && source.path.endsWith('.ts') && !isTest(source),
  );

  it('in functions, a fact is only ever the one argument of a function that picks something from it', () => {
    const uses = authored.map((source) => ({
      ...source,
      code: source.code.replace(/^import [\s\S]*?;$/gm, '').replace(/\(fact: Fact\)/g, ''),
    }));
    expect(found(uses, /\b(Fact|ObjectChanged|WritesCounted)\b/)).toEqual([]);
  });

  it('a definition has no hint that is the fact itself', () => {
    expect(found(authored, /\bhints\b.*=>\s*fact\b|=>\s*\(\{\s*fact\b|\.\.\.fact\b|return fact;/)).toEqual([]);
  });

  it('claims are read where hints are judged, and nowhere else', () => {
    const readers = { 'functions/strimzi/operator/identify.ts': 'user agents, which can only contradict' };
    expect(found(except(authored, readers), /\.claimed\(/)).toEqual([]);
  });
});

describe('habits', () => {
  it('the environment is read in one file of each entrance', () => {
    const readers = {
      'bin/environment.ts': 'the command line',
      'infra/lambda/environment.ts': 'the Lambda entrance',
    };
    const elsewhere = except(SOURCES, readers).filter(
      ({ path }) => !/^test\/(aws|control-plane|end-to-end)\/|^infra\/[^/]+\.(mjs|cjs)$/.test(path) && !path.endsWith('.test.ts'),
    );
    expect(found(elsewhere, /\bprocess\.env\b|process\[['"]env/)).toEqual([]);
  });

  it('no file is longer than 250 lines', () => {
    const long = SOURCES.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length })).filter(({ lines }) => lines > 250);
    expect(long).toEqual([]);
  });

  it('exports are named; a default is the one remediation of a folder, or what a tool asks for', () => {
    const code = SOURCES.filter(({ path }) => path.endsWith('.ts') && !/^functions\/.*\/index\.ts$/.test(path));
    const writer = { 'bin/scaffold.ts': 'writes such a file' };
    expect(found(except(code, writer), /^export default\b|\bas default\b/)).toEqual([]);
  });

  it('no any, no enum, no namespace', () => {
    const code = SOURCES.filter(({ path }) => path.endsWith('.ts')).map((source) => ({
      ...source,
      code: source.code.replace(/'[^'\n]*'|`[^`]*`/g, "''"),
    }));
    expect(found(code, /(:|\bas|<|\|)\s*any\b(?!:)|^\s*(export\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s/)).toEqual([]);
  });

  it('no file or folder is named after nothing', () => {
    expect(SOURCES.map(({ path }) => path).filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.)/.test(path))).toEqual([]);
    expect(SOURCES.map(({ path }) => path).filter((path) => /[A-Z_]/.test(path.replace(/\.test\.ts$/, '')))).toEqual([]);
  });
});
