import * as z from 'zod';
import type { Json } from '../../../shared/canonical.ts';
import type { Cluster } from '../../../shared/cluster.ts';
import { lockOf, type ZnodeReference } from '../../../shared/znode-step.ts';
import type { Znode } from '../../../shared/zookeeper/client.ts';
import { isReady, type Situation } from './situation.ts';

/** Strimzi's ZooKeeper listens here without TLS, on the pod's loopback only. */
const PORT = 12181;

const migrationValue = z.object({
  version: z.literal(0),
  kraft_controller_id: z.number().int(),
  kraft_controller_epoch: z.number().int(),
  kraft_metadata_offset: z.number().int(),
  kraft_metadata_epoch: z.number().int(),
});
const controllerValue = z.object({ brokerid: z.number().int(), kraftControllerEpoch: z.number().int() });

/** Where ZooKeeper is reached, by its first Ready pod; undefined when none is. */
export function zookeeperOf({ namespace, zookeepers }: Situation): ((path: string) => ZnodeReference) | undefined {
  const pod = zookeepers.find(isReady)?.metadata.name;
  return pod === undefined ? undefined : (path) => ({ namespace, pod, port: PORT, path });
}

/** What `/migration` holds; undefined for a form that no known Kafka writes. */
export const migrationIn = (znode: Znode): z.infer<typeof migrationValue> | undefined => migrationValue.safeParse(parse(znode)).data;

/** Who leads: a broker that is there (its id), or why that is not so. `broken`: the rollback went wrong in another way. */
export async function controllerOf(
  cluster: Cluster,
  at: (path: string) => ZnodeReference,
): Promise<{ broker: number } | { broken: boolean; because: string }> {
  const znode = await cluster.znode(at('/controller'));
  if (!znode) return { broken: false, because: 'no broker is the controller yet' };
  const value = controllerValue.safeParse(parse(znode)).data;
  if (!value) return { broken: true, because: '/controller has a form that no known Kafka writes' };
  if (value.kraftControllerEpoch >= 0 || znode.ephemeralOwner === '0x0') {
    const because = `/controller belongs to a KRaft controller (epoch ${value.kraftControllerEpoch}): it is alive, or the rollback did not delete it`;
    return { broken: true, because };
  }
  const alive = await cluster.znode(at(`/brokers/ids/${value.brokerid}`));
  return alive ? { broker: value.brokerid } : { broken: false, because: `the controller, broker ${value.brokerid}, is not registered` };
}

/** The first of two reads, as it is remembered. */
export interface FirstRead {
  czxid: string;
  version: number;
  mtime: number;
  at: number;
}

/** How far apart two reads are at least: a living controller writes every half second. */
const APART = 10_000;
/** A first read is no use for saying "it moved" after this long: the writer may be long gone. */
const RECENT = 60_000;

/** Compares this read with the one remembered: whether nobody writes the node. `remember` starts over with this read. */
export function stillness(
  znode: Znode,
  memory: Json | undefined,
  now: number,
): { kind: 'still' } | { kind: 'first' | 'moved'; remember: Json & object; because: string } {
  const first = memory as unknown as FirstRead | undefined;
  const remember = { ...lockOf(znode), at: now };
  const again = { kind: 'first' as const, remember, because: 'read once: whether somebody writes /migration is seen 10 s later' };
  if (!first) return again;
  const same = first.czxid === znode.czxid && first.version === znode.version && first.mtime === znode.mtime;
  if (same) return now - first.at >= APART ? { kind: 'still' } : { ...again, remember: { ...first } };
  if (now - first.at > RECENT) return again;
  const seconds = Math.round((now - first.at) / 1_000);
  const because =
    first.czxid === znode.czxid
      ? `a KRaft controller writes /migration: version ${first.version} became ${znode.version} within ${seconds} s`
      : `/migration was created anew within ${seconds} s: a migration runs`;
  return { kind: 'moved', remember, because };
}

function parse({ data }: Znode): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
