import type { Case } from './case.ts';
import { accountPassword } from './cases/account-password.ts';
import { afterRollout } from './cases/after-rollout.ts';
import { badUpgradeVersion } from './cases/bad-upgrade-version.ts';
import { betaReconfigure } from './cases/beta-reconfigure.ts';
import { cancellingShards } from './cases/cancelling-shards.ts';
import { configurationRerendered } from './cases/configuration-rerendered.ts';
import { exposeSharding } from './cases/expose-sharding.ts';
import { instanceApi } from './cases/instance-api.ts';
import { lastPodOnline } from './cases/last-pod-online.ts';
import { memberJoinFailed } from './cases/member-join-failed.ts';
import { memberLeave } from './cases/member-leave.ts';
import { mongodbOffline } from './cases/mongodb-offline.ts';
import { onlyReplicaOffline } from './cases/only-replica-offline.ts';
import { ordinalRanges } from './cases/ordinal-ranges.ts';
import { pendingBehindDependency } from './cases/pending-behind-dependency.ts';
import { rebuildShard } from './cases/rebuild-shard.ts';
import { registryMirror } from './cases/registry-mirror.ts';
import { restartDeletedBackup } from './cases/restart-deleted-backup.ts';
import { restoreBadTime } from './cases/restore-bad-time.ts';
import { restoreOwner } from './cases/restore-owner.ts';
import { roleMissing } from './cases/role-missing.ts';
import { shardsUnchanged } from './cases/shards-unchanged.ts';
import { stopWithoutReplicas } from './cases/stop-without-replicas.ts';
import { switchoverJob } from './cases/switchover-job.ts';
import { unknownParameter } from './cases/unknown-parameter.ts';
import { volumeExpansion } from './cases/volume-expansion.ts';
import { zeroReplicaComponent } from './cases/zero-replica-component.ts';

/** Every known way to hang, in the order they are asked: those that can be mended, then those a person is told. */
export const CASES: Case[] = [
  lastPodOnline,
  shardsUnchanged,
  ordinalRanges,
  zeroReplicaComponent,
  cancellingShards,
  pendingBehindDependency,
  restoreBadTime,
  restartDeletedBackup,
  unknownParameter,
  registryMirror,
  switchoverJob,
  onlyReplicaOffline,
  memberLeave,
  mongodbOffline,
  instanceApi,
  roleMissing,
  restoreOwner,
  rebuildShard,
  betaReconfigure,
  badUpgradeVersion,
  volumeExpansion,
  stopWithoutReplicas,
  exposeSharding,
  configurationRerendered,
  accountPassword,
  afterRollout,
  memberJoinFailed,
];
