import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RUNNER } from '../infra/local/runner-lease.ts';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import { systemClock } from '../shared/clock.ts';
import type { Incident } from '../shared/incident.ts';
import type { Schedule } from '../shared/schedule/schedule.ts';
import { SqliteSchedule } from '../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import type { State } from '../shared/state/state.ts';
import { type Call, text, UsageError } from './verb.ts';

/** The folder with what kubemend remembers on this machine. */
export const stateDirectory = (call: Call): string => text(call, 'state') ?? call.environment.stateDirectory;

/** The database of that folder, shared with a running kubemend. */
export const databasePath = (directory: string): string => join(directory, 'kubemend.sqlite');

/** What kubemend remembers, and how it is woken. */
export interface Store {
  state: State;
  schedule: Schedule;
  /** Whether somebody does now what is recorded here. */
  runs(): Promise<boolean>;
  /** Where it is, for people. */
  place: string;
}

/** What people's verbs read and write: this machine's folder, or with --aws-table what was installed in AWS. Throws UsageError. */
export async function openStore(call: Call): Promise<Store> {
  const table = text(call, 'aws-table');
  if (table !== undefined && call.values.state !== undefined) throw new UsageError('Give --state or --aws-table, not both');
  if (table !== undefined) return (await import('./aws-store.ts')).awsStore(table, call.err, text(call, 'region'));
  if (call.values.region !== undefined) throw new UsageError('--region is the region of a table: give --aws-table too');
  return localStore(call);
}

/** The store of this machine's folder. Only `run` and the sandbox make one: elsewhere a mistyped folder would look like one where nothing happened. Throws UsageError. */
export function localStore(call: Call): Store & { state: SqliteState } {
  const store = localStoreIfAny(call);
  if (store) return store;
  const directory = stateDirectory(call);
  throw new UsageError(
    `There is no state in ${directory}: no kubemend ran on it yet. Start one with kubemend run, or name its folder with --state`,
  );
}

/** The same where there may be none. */
export function localStoreIfAny(call: Call): (Store & { state: SqliteState }) | undefined {
  const path = databasePath(stateDirectory(call));
  try {
    statSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const database = openDatabase(path);
  const state = new SqliteState(database);
  return { state, schedule: new SqliteSchedule(database, systemClock, call.err), runs: () => isRunning(state), place: 'this state folder' };
}

/** The state of it. */
export const openState = async (call: Call): Promise<State> => (await openStore(call)).state;

/** Pinned documents: what people added here, then what kubemend ships. */
export const openArtifacts = (directory: string): DirectoryArtifacts =>
  new DirectoryArtifacts({ directory: join(directory, 'artifacts'), shipped: join(import.meta.dirname, '../artifacts') });

/** The incident that was named, or an error that says where to look. */
export async function namedIncident(state: State, id: string): Promise<Incident> {
  const incident = await state.load(id);
  if (incident) return incident;
  if (!/^[0-9a-f]{4,12}$/.test(id))
    throw new UsageError(`"${id}" is no ID of an incident: 12 hex digits, of which the first 4 are enough. Run: kubemend incidents`);
  const alike = await state.idsLike(id, 10);
  if (alike.length > 1) throw new UsageError(`More than one incident begins with ${id}: ${alike.join(', ')}`);
  throw new UsageError(`There is no incident "${id}". Run: kubemend incidents`);
}

/** The cluster that the last run on this folder watched, if it said so. */
export const watchedCluster = (state: State): Promise<string | undefined> => state.setting('cluster');

/** Whether a kubemend runs on this state directory: it holds the lease of the one process that acts. */
export const isRunning = (state: SqliteState, now = Date.now()): Promise<boolean> => state.isLeased(RUNNER, now);
