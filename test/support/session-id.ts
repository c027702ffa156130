import { createHash } from 'node:crypto';

/** What events show of a session by default: its id opens it, so they carry a hash. */
export function sessionIdOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 22);
}
