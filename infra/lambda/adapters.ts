import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SQSClient } from '@aws-sdk/client-sqs';
import { s3Bucket } from '../../shared/artifacts/bucket.ts';
import { PackedArtifacts } from '../../shared/artifacts/packed.ts';
import { S3Artifacts } from '../../shared/artifacts/s3.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { AwsSchedule } from '../../shared/schedule/aws.ts';
import { CLIENT } from './aws-clients.ts';
import { Clusters, parseClusters } from './clusters.ts';
import { readEnvironment } from './environment.ts';
import type { Adapters } from './handler.ts';
import { parseLimits } from './limits.ts';
import { toConsole } from './log.ts';
import { ownSecrets } from './own-secrets.ts';
import { stateTable } from './state-table.ts';

/** Which function it is, and what it comes with. */
interface Deployed {
  /** Holds its own package. */
  folder: string;
  /** Its remediation. */
  own: string;
  /** Every remediation that was built with it. */
  remediations: string[];
}

/** What a deployed function works with. Throws when its environment is not as it must be. */
export function lambdaAdapters({ folder, own, remediations }: Deployed): Adapters {
  const { bus, limits, table, bucket, appointments, credentials, region, endpoint } = readEnvironment();
  const now = Date.now;
  const secrets = ownSecrets(now);
  const list = parseClusters(readFileSync(join(folder, 'clusters.json'), 'utf8'));
  const clusters = new Clusters({ list, credentials, secrets, now });
  return {
    bus: new EventBridgeBus({ client: new EventBridgeClient(CLIENT), bus, wait: delay }),
    state: stateTable({ table, own, remediations }),
    schedule: new AwsSchedule({
      sqs: { client: new SQSClient(CLIENT), queue: appointments.queue, now },
      scheduler: { client: new SchedulerClient(CLIENT), ...appointments },
    }),
    artifacts: new S3Artifacts({
      bucket: s3Bucket({ name: bucket, region, credentials, endpoint, wait: delay }),
      shipped: new PackedArtifacts(join(folder, 'artifacts.json.br')),
    }),
    limits: parseLimits(limits),
    sender: (cluster, remediation) => clusters.transport(cluster, remediation),
    now,
    log: toConsole,
  };
}
