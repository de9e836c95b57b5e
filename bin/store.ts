import { join } from 'node:path';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import type { Incident } from '../shared/incident.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { type Call, text, UsageError } from './verb.ts';

/** The folder with what kubemend remembers on this machine. */
export const stateDirectory = (call: Call): string => text(call, 'state') ?? call.environment.stateDirectory;

/** The database of that folder, shared with a running kubemend. */
export const databasePath = (directory: string): string => join(directory, 'kubemend.sqlite');

/** The state that people's verbs read and write. */
export const openState = (call: Call): SqliteState => new SqliteState(openDatabase(databasePath(stateDirectory(call))));

/** Pinned documents: what people added here, then what kubemend ships. */
export const openArtifacts = (directory: string): DirectoryArtifacts =>
  new DirectoryArtifacts({ directory: join(directory, 'artifacts'), shipped: join(import.meta.dirname, '../artifacts') });

/** The incident that was named, or an error that says where to look. */
export async function namedIncident(state: SqliteState, id: string): Promise<Incident> {
  const incident = await state.load(id);
  if (!incident) throw new UsageError(`There is no incident "${id}" (or more than one begins so). Run: kubemend incidents`);
  return incident;
}

/** All incidents there are, newest first. */
export const everyIncident = (state: SqliteState): Promise<Incident[]> => state.list({ limit: 1_000_000 });

/** Whether a kubemend runs on this state folder: it holds the lease of the one runner. */
export const isRunning = async (state: SqliteState, now = Date.now()): Promise<boolean> => !(await state.lease('runner', 'probe', 0, now));
