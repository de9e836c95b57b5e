import type { Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'capture',
  usage: 'capture',
  examples: ['kubemend capture'],
  options: {},
  positionals: { least: 0, most: 9 },
  run: async () => 2,
};
