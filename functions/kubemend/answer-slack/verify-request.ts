import { createHmac, timingSafeEqual } from 'node:crypto';

/** A request as it came: header names in lower case, the body's bytes before anybody read them. */
export interface RawRequest {
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** How far a request's clock may be from ours, in both directions. Seconds. */
export const WINDOW = 300;
/** A click carries the message it was made on: at most 50 blocks. */
export const LARGEST = 512 * 1_024;

/** `signature` identifies the request, `expiresAt` (milliseconds) is when its time is over by itself. */
export type Verified = { genuine: true; signature: string; expiresAt: number } | { genuine: false; because: string };

/**
 * Whether Slack sent this request. Nothing of the body is parsed before this says yes; `because` is for our log, never for the sender.
 * Modelled on `verify-request.ts` of slackapi/bolt-js.
 */
export function verifyRequest({ headers, body }: RawRequest, signingSecret: string, now: number): Verified {
  // Rule 1: without a secret nobody is genuine; an empty key would make a signature that everybody can make.
  if (signingSecret.trim().length < 16) return no('there is no signing secret');
  // Rule 2: not larger than a click can be.
  if (body.length > LARGEST) return no('the body is too large');
  // Rule 3: one timestamp and one signature; a repeated header is two meanings.
  const timestamp = headers['x-slack-request-timestamp'];
  const signature = headers['x-slack-signature'];
  if (typeof timestamp !== 'string' || typeof signature !== 'string') return no('the signature or its time is missing');
  // Rule 4: the time is whole seconds in digits; what is signed is this very text.
  if (!/^\d{9,11}$/.test(timestamp)) return no('the time is no number of seconds');
  // Rule 5: neither old nor from the future.
  const seconds = Number(timestamp);
  if (Math.abs(now / 1_000 - seconds) > WINDOW) return no('its time is too far from ours');
  // Rule 6: the one version that there is, in the one form that Slack writes.
  if (!/^v0=[0-9a-f]{64}$/.test(signature)) return no('the signature has an unknown form');
  // Rule 7: the signature is over the bytes as they came, and compared in constant time.
  const hmac = createHmac('sha256', signingSecret.trim()).update(`v0:${timestamp}:`).update(body).digest();
  if (!timingSafeEqual(Buffer.from(signature.slice(3), 'hex'), hmac)) return no('the signature is wrong');
  return { genuine: true, signature, expiresAt: (seconds + WINDOW + 1) * 1_000 };
}

const no = (because: string): Verified => ({ genuine: false, because });
