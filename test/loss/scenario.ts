import type { ApiProxy } from './api-proxy.ts';
import type { ExporterChild } from './exporter-child.ts';
import type { LogRelay, Rotation } from './log-relay.ts';
import type { SmallDisk } from './small-disk.ts';
import type { StubPutEvents } from './stub-put-events.ts';

/** One row of the matrix. */
export interface Scenario {
  name: string;
  /** What the exporter stands on; by default a folder, the audit log file, and the API server itself. */
  audit?: 'webhook' | Rotation;
  disk?: 'small';
  proxy?: true;
  /** It troubles the API server itself, so nothing else may run beside it. */
  alone?: true;
  /** Even a reported gap would be a defect. */
  lossless?: true;
  /** Milliseconds of trouble: in the short matrix, and in the long one. */
  lasts: { short: number; long: number };
  /** Makes the trouble, and ends when everything is well again. */
  trouble(world: World): Promise<void>;
}

/** What a scenario has in its hands. */
export interface World {
  exporter: ExporterChild;
  bus: StubPutEvents;
  /** Milliseconds of trouble. */
  lasts: number;
  /** Strikes again and again while the trouble lasts; milliseconds in between, in the short matrix and in the long one. */
  every(short: number, long: number, blow: () => Promise<void> | void): Promise<void>;
  restartApiServer(down: number): Promise<void>;
  /** Makes etcd forget what is older than now. */
  compact(): Promise<void>;
  disk: SmallDisk | undefined;
  proxy: ApiProxy | undefined;
  relay: LogRelay | undefined;
}
