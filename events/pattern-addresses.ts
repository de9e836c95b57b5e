import { isIP } from 'node:net';
import { PatternError } from './pattern-error.ts';

/** First and last address of a CIDR block, as hex digits. */
export function block(cidr: string, path: string): [string, string] {
  const [network = '', bits = '', ...more] = cidr.split('/');
  const address = hexAddress(network);
  const size = address ? address.length * 4 : 0;
  if (!address || more.length > 0 || !/^\d+$/.test(bits) || Number(bits) >= size) {
    throw new PatternError(`${path} must be a block like "10.0.0.0/8" (IPv4 up to /31, IPv6 up to /127), not ${JSON.stringify(cidr)}.`);
  }
  const mask = (1n << BigInt(size - Number(bits))) - 1n;
  const hex = (value: bigint): string => value.toString(16).padStart(address.length, '0');
  return [hex(BigInt(`0x${address}`) & ~mask), hex(BigInt(`0x${address}`) | mask)];
}

/** 8 or 32 hex digits of an address literal as Java reads it: leading zeros are decimal, `::ffff:a00:1` is IPv4, dots inside IPv6 are refused. */
export function hexAddress(address: string): string | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) {
    const octets = address.split('.').map(Number);
    return octets.every((octet) => octet < 256) ? octets.map((octet) => octet.toString(16).padStart(2, '0')).join('') : undefined;
  }
  if (!/^[\da-f:]+$/i.test(address) || isIP(address) !== 6) return undefined;
  const [left = [], right = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const words = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  const hex = words.map((word) => word.toLowerCase().padStart(4, '0')).join('');
  return hex.startsWith('00000000000000000000ffff') ? hex.slice(24) : hex;
}
