import type { Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'stats',
  usage: 'stats',
  examples: ['kubemend stats'],
  options: {},
  positionals: { least: 0, most: 9 },
  run: async () => 2,
};
