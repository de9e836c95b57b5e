import { describe, expect, it } from '@jest/globals';
import { slackSettings } from './slack-settings.ts';

const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/slack/${name}-AbCd12`;
const messages = { KUBEMEND_SLACK_CHANNEL: 'C0MEND0001', KUBEMEND_SLACK_TOKEN_ARN: secret('token') };
const all = { ...messages, KUBEMEND_SLACK_SIGNING_SECRET_ARN: secret('signing'), KUBEMEND_SLACK_APPROVERS: 'U0ADA00001, U0BOB00002' };

describe('Slack in a deployment', () => {
  it('is not there when nothing is given, tells where a channel and a token are, and takes answers where all is', () => {
    expect(slackSettings({ KUBEMEND_SLACK_CHANNEL: '' })).toBeUndefined();
    const told = { channel: 'C0MEND0001', token: secret('token') };
    expect(slackSettings(messages)).toEqual(told);
    expect(slackSettings(all)).toEqual({ ...told, answers: { signingSecret: secret('signing'), approvers: 'U0ADA00001,U0BOB00002' } });
  });

  it.each<[string, Record<string, string>, string]>([
    ['a channel alone', { KUBEMEND_SLACK_CHANNEL: 'C0MEND0001' }, 'KUBEMEND_SLACK_TOKEN_ARN'],
    ['nobody who may decide', { ...all, KUBEMEND_SLACK_APPROVERS: '' }, 'KUBEMEND_SLACK_APPROVERS'],
    ['a name for a channel', { ...messages, KUBEMEND_SLACK_CHANNEL: '#ops' }, 'no channel id'],
    ['a name for a person', { ...all, KUBEMEND_SLACK_APPROVERS: 'U0ADA00001,ada' }, '"ada" is no Slack user id'],
    ['a token instead of its ARN', { ...messages, KUBEMEND_SLACK_TOKEN_ARN: 'xoxb-1' }, 'not the whole ARN'],
    ['an ARN of many secrets', { ...messages, KUBEMEND_SLACK_TOKEN_ARN: `${secret('').slice(0, -6)}*` }, 'not the whole ARN'],
    ['another address for the token', { ...messages, KUBEMEND_SLACK_API: 'https://slack.example.com/api' }, 'is not Slack'],
    ['one secret for both', { ...all, KUBEMEND_SLACK_SIGNING_SECRET_ARN: secret('token') }, 'two secrets'],
  ])('is refused with %s', (_, variables, because) => {
    expect(() => slackSettings(variables)).toThrow(because);
  });
});
