import { expect, it } from '@jest/globals';
import { candidates, linesOf, shellScript } from './completion.ts';

const NAME = 'strimzi/upgrade-stale-crds';
const ids = async (state: string | undefined) => [{ word: state === undefined ? 'aaaa00000000' : 'bbbb00000000', help: 'planned' }];
const complete = async (...words: string[]): Promise<string[]> => linesOf(await candidates(words, ids));

it.each<[string, string[], unknown]>([
  ['verbs', ['rep'], ['replay']],
  ['verbs that are explained', ['help', 'rep'], ['replay']],
  ['remediations', ['mode', 'strimzi/u'], [NAME]],
  ['modes, once the remediation is there', ['mode', '--namespace', 'dev', NAME, ''], ['shadow', 'approve', 'auto', 'default']],
  ['no remediation for a namespace', ['mode', NAME, '--namespace', ''], []],
  ['scenarios', ['sandbox', '--scenario', 'kubero'], ['kubero-registry-copy']],
  ['modes of the sandbox', ['sandbox', '--mode', 'a'], ['approve', 'auto']],
  ['what crds does', ['crds', ''], ['add', 'list']],
  ['whose CRDs', ['crds', 'add', ''], ['strimzi']],
  ['options with their help', ['undo', 'x', '--w'], [expect.stringMatching(/^--within\twait so many/)]],
  ['IDs', ['undo', ''], ['aaaa00000000\tplanned']],
  ['IDs of another folder', ['approve', '--state', 'x', 'bb'], ['bbbb00000000\tplanned']],
  ['one ID, not two', ['explain', 'aaaa', ''], []],
  ['files', ['replay', ''], [':files']],
  ['files for an option', ['scan', '--kubeconfig', ''], [':files']],
  ['nothing for a verb that is none', ['nix', ''], []],
])('completes %s', async (_, words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

it('An unknown shell has no script', () => {
  expect([shellScript('bash') !== undefined, shellScript('cmd')]).toEqual([true, undefined]);
});
