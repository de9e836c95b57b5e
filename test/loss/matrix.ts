import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '../control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { type Row, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { startWebhookSwitch, type WebhookSwitch } from './webhook-switch.ts';

/** How the matrix runs. `long` is for the bench, the short one for every test run. */
export interface MatrixOptions {
  long: boolean;
  scenarios: Scenario[];
  progress?: (line: string) => void;
}

/** What all rows share. */
export interface Ground {
  plane: ControlPlane;
  admin: Admin;
  webhook: WebhookSwitch;
  folder: string;
}

/** Rows at once, on two cores. */
const BESIDE = { short: 4, long: 3 };

/** Runs every scenario on one real API server: beside each other where they do not trouble it. Rows in the order of the scenarios. */
export async function runMatrix({ long, scenarios, progress = () => {} }: MatrixOptions): Promise<Row[]> {
  const webhook = await startWebhookSwitch();
  const folder = await mkdtemp(join(tmpdir(), 'kubemend-loss-'));
  const directory = join(folder, 'plane');
  await mkdir(directory);
  const flags = ['--audit-webhook-initial-backoff=2s', '--audit-log-maxsize=2000'];
  const plane = await startControlPlane({ auditWebhook: webhook.webhook, directory, flags, readyWithin: 60_000 });
  const admin = new Admin(plane.connection('admin', 'numbered-writer/1'));
  try {
    const rows = new Map<Scenario, Row>();
    const failures: Error[] = [];
    const run = async (scenario: Scenario): Promise<void> => {
      try {
        const row = await runScenario(scenario, { plane, admin, webhook, folder }, long);
        progress(`${row.name}: ${row.expected} expected, ${row.arrived} arrived, ${row.lostOutsideGap} lost outside a gap`);
        rows.set(scenario, row);
      } catch (cause) {
        failures.push(new Error(`${scenario.name}: ${(cause as Error).message}`, { cause }));
      }
    };
    // There is one webhook.
    let webhookFree = Promise.resolve();
    const onWebhook = (scenario: Scenario): Promise<void> => {
      webhookFree = webhookFree.then(() => run(scenario));
      return webhookFree;
    };
    const together = scenarios.filter(({ alone }) => !alone);
    await Promise.all(
      Array.from({ length: long ? BESIDE.long : BESIDE.short }, async () => {
        for (let next = together.shift(); next; next = together.shift()) await (next.audit === 'webhook' ? onWebhook(next) : run(next));
      }),
    );
    for (const scenario of scenarios) if (scenario.alone) await run(scenario);
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
    return scenarios.map((scenario) => rows.get(scenario) as Row);
  } finally {
    admin.close();
    await plane.stop();
    await webhook.close();
    await rm(folder, { recursive: true, force: true });
  }
}
