import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';

export interface Donor {
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly id: string;
  /** What the next requests have to bring. */
  readonly token: string;
  readonly user: Donor;
}

@Injectable()
export class SessionsService {
  private readonly byToken = new Map<string, Session>();

  open(user: Donor): Session {
    const session = { id: randomUUID(), token: randomBytes(24).toString('base64url'), user };
    this.byToken.set(session.token, session);
    return session;
  }

  find(token: string): Session | undefined {
    return this.byToken.get(token);
  }
}
