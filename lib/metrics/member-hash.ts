import { createHash } from 'node:crypto';

/** Bits of a hash: what a number holds exactly. */
export const HASH_BITS = 53;

const HIGH_BITS = HASH_BITS - 32;

/** Stands for a member wherever members are kept, so that neither its length nor its content is stored. */
export function memberHash(member: string): number {
  const digest = createHash('sha256').update(member).digest();
  return (digest.readUInt32BE(0) >>> (32 - HIGH_BITS)) * 2 ** 32 + digest.readUInt32BE(4);
}
