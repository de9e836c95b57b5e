import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { LARGEST, type RawRequest, verifyRequest, WINDOW } from './verify-request.ts';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const NOW = 1_531_420_618_000;

function signed(body: string | Buffer, { at = NOW / 1_000, secret = SECRET, timestamp = String(at), over = body } = {}): RawRequest {
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(over).digest('hex')}`;
  return { headers: { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature }, body: Buffer.from(body) };
}
const bent = (request: RawRequest, headers: RawRequest['headers']): RawRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});
const ofNow = signed('payload=x');
const { 'x-slack-signature': good } = ofNow.headers as { 'x-slack-signature': string };

describe('a request is genuine', () => {
  it("when it is the example of Slack's own documentation", () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const headers = {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    };
    expect(verifyRequest({ headers, body: Buffer.from(body) }, SECRET, NOW)).toMatchObject({ genuine: true });
  });

  it.each([0, -WINDOW, WINDOW])('when its time is %i s from ours', (seconds) => {
    expect(verifyRequest(signed('x', { at: NOW / 1_000 + seconds }), SECRET, NOW).genuine).toBe(true);
  });

  it('over the bytes, also where they are no text', () => {
    const bytes = Buffer.from([0x70, 0xff, 0xfe, 0xc3, 0xa4, 0x00]);
    expect(verifyRequest(signed(bytes), SECRET, NOW).genuine).toBe(true);
    expect(verifyRequest({ ...signed(bytes), body: Buffer.from(bytes.toString('utf8')) }, SECRET, NOW).genuine).toBe(false);
  });
});

describe('a request is refused', () => {
  it.each<[string, RawRequest, string?]>([
    ['with the signature of another secret', signed('payload=x', { secret: 'another secret of 32 characters.' })],
    ['with the signature of another body', signed('payload=y', { over: 'payload=x' })],
    ['with one byte more', { ...ofNow, body: Buffer.from('payload=x ') }],
    ['with another time than was signed', bent(ofNow, { 'x-slack-request-timestamp': String(NOW / 1_000 + 1) })],
    ['a second too old', signed('x', { at: NOW / 1_000 - WINDOW - 1 })],
    ['a second too far in the future', signed('x', { at: NOW / 1_000 + WINDOW + 1 })],
    ['without a signature', bent(ofNow, { 'x-slack-signature': undefined })],
    ['without a time', bent(ofNow, { 'x-slack-request-timestamp': undefined })],
    ['with two signatures', bent(ofNow, { 'x-slack-signature': [good, good] })],
    ['with two signatures in one header', bent(ofNow, { 'x-slack-signature': `${good}, ${good}` })],
    ['with an empty signature', bent(ofNow, { 'x-slack-signature': '' })],
    ['with an empty hash', bent(ofNow, { 'x-slack-signature': 'v0=' })],
    ['with another version', bent(ofNow, { 'x-slack-signature': good.replace('v0', 'v1') })],
    ['with a shortened signature', bent(ofNow, { 'x-slack-signature': good.slice(0, -2) })],
    ['with capital letters', bent(ofNow, { 'x-slack-signature': `v0=${good.slice(3).toUpperCase()}` })],
    ['with a time in another form', signed('x', { timestamp: '1.531420618e9' })],
    ['with a time and a space', signed('x', { timestamp: ' 1531420618' })],
    ['with a time that is no number', signed('x', { timestamp: 'NaN' })],
    ['with a negative time', signed('x', { timestamp: '-1531420618' })],
    ['that is larger than any click', signed('x'.repeat(LARGEST + 1))],
    ['when there is no secret', signed('payload=x', { secret: '' }), ''],
    ['when the secret is white space', signed('payload=x', { secret: '' }), '                      '],
  ])('%s', (_, request, secret = SECRET) => {
    expect(verifyRequest(request, secret, NOW)).toEqual({ genuine: false, because: expect.any(String) });
  });
});
