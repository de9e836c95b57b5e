import { expect, it } from '@jest/globals';
import { parseLimits } from './limits.ts';

it.each([
  ['', {}],
  ['{"stableFor":"60s","perObject":{"executions":1,"within":"24h"}}', { stableFor: '60s', perObject: { executions: 1, within: '24h' } }],
])('reads %j', (text, limits) => expect(parseLimits(text)).toEqual(limits));

it.each([
  ['{', /KUBEMEND_LIMITS is no JSON/],
  ['{"stabelFor":"60s"}', /stabelFor/],
  ['{"breakers":{"object":0,"remediation":1,"overall":1}}', /breakers/],
  ['{"perObject":{"executions":-1,"within":"1h"}}', /executions/],
])('refuses %j', (text, because) => expect(() => parseLimits(text)).toThrow(because));
