import { describe, expect, it } from '@jest/globals';
import { complete, type Definition } from '../shared/remediation.ts';
import { clear } from '../shared/verdict.ts';
import { whenObjectChanged } from '../shared/when.ts';
import { deployedFunctions } from './deployment.ts';

const things = whenObjectChanged({ group: 'example.io', resource: 'things' });
const definition: Definition = {
  title: 'Calm a thing',
  cause: { issue: 'none', affects: 'none', because: 'none' },
  when: [things, { ...things, source: ['elsewhere'] }],
  rights: [],
  writes: [],
  examine: async () => clear('nothing to do'),
};

describe('a deployed function', () => {
  it('is named after stage and folder, with one rule per pattern', async () => {
    const [one] = await deployedFunctions('prod', [complete('example/calm_a-thing', definition)]);
    expect(one).toMatchObject({
      key: 'example-calm_a-thing',
      functionName: 'kubemend-prod-example-calm_a-thing',
      ruleNames: ['example-calm_a-thing-1', 'example-calm_a-thing-2'],
      logicalId: 'ExampleDashcalmUnderscoreaDashthing',
    });
  });

  it('is refused before packaging when AWS would refuse its name, with what to shorten', async () => {
    const long = complete(`example/${'a'.repeat(43)}`, definition);
    await expect(deployedFunctions('dev', [long])).resolves.toHaveLength(1);
    await expect(deployedFunctions('prod', [long])).rejects.toThrow('has 65 characters, AWS takes 64: shorten functions/example/aaa');
  });
});
