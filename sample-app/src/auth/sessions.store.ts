import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Donor, Session } from './donor.js';

const MAX_SESSIONS = 10_000;

/** Who is signed in, by token. The oldest sessions end when there are too many. */
@Injectable()
export class SessionsStore {
  private readonly sessions = new Map<string, Session>();

  open(donor: Donor): { readonly token: string; readonly session: Session } {
    const token = randomBytes(24).toString('base64url');
    const session = { id: randomUUID(), donor };
    this.sessions.set(token, session);
    if (this.sessions.size > MAX_SESSIONS) {
      const [oldest = token] = this.sessions.keys();
      this.sessions.delete(oldest);
    }
    return { token, session };
  }

  find(token: string): Session | undefined {
    return this.sessions.get(token);
  }
}
