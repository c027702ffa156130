import { createHash, timingSafeEqual } from 'node:crypto';

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header = ''): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header)?.[1];
}

/** Takes as long whether the first or the last letter differs. */
export function sameToken(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
