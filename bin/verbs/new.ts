import type { Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'new',
  usage: 'new',
  examples: ['kubemend new'],
  options: {},
  positionals: { least: 0, most: 9 },
  run: async () => 2,
};
