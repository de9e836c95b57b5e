import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { PackedArtifacts } from '../../shared/artifacts/packed.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { Clusters, parseClusters } from './clusters.ts';
import { readEnvironment } from './environment.ts';
import type { Adapters } from './handler.ts';

/** What a deployed function works with; `folder` holds its own package. Throws when its environment is not as it must be. */
export function lambdaAdapters(folder: string): Adapters {
  const { bus, clusters: list, credentials } = readEnvironment();
  const now = Date.now;
  const clusters = new Clusters({ list: parseClusters(list), credentials, now });
  return {
    bus: new EventBridgeBus({ client: new EventBridgeClient({}), bus, wait: delay }),
    artifacts: new PackedArtifacts(join(folder, 'artifacts.json.br')),
    getter: (cluster, remediation) => clusters.transport(cluster, remediation),
    now,
    log: (line) => console.log(JSON.stringify(line)),
  };
}
