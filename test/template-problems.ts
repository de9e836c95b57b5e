import { problemsOfAccess } from './template-access.ts';
import { problemsOfBus } from './template-bus.ts';
import { problemsOf as problemsOfDeadLetters, type Resources } from './template-dead-letters.ts';
import { problemsOfEncryption } from './template-encryption.ts';
import { problemsOfEnvironment } from './template-environment.ts';
import { problemsOfFiring } from './template-firing.ts';
import { problemsOfKept } from './template-kept.ts';
import { problemsOfRelations } from './template-relations.ts';
import { problemsOfWildcards } from './template-wildcards.ts';

/** What a deployment gave that the template must do something with. */
export interface Given {
  /** ARN of a key of one's own. */
  key?: string;
  /** ARNs of exporters in other accounts. */
  exporters?: string[];
}

/** Everything that is wrong with a packaged template whatever its settings are: one sentence each, none for a good one. */
export const problemsOfTemplate = async (resources: Resources, { key, exporters }: Given = {}): Promise<string[]> => [
  ...problemsOfDeadLetters(resources),
  ...problemsOfEnvironment(resources),
  ...problemsOfRelations(resources),
  ...problemsOfWildcards(resources),
  ...problemsOfEncryption(resources, key),
  ...problemsOfKept(resources),
  ...problemsOfFiring(resources),
  ...(await problemsOfBus(resources, exporters)),
  ...(await problemsOfAccess(resources)),
];
