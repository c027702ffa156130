import { Injectable } from '@nestjs/common';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import { nameUuid } from 'nestjs-tracking/core';
import { SessionsStore } from './sessions.store.js';
import type { SignIn } from './sign-in.pipe.js';

/** The same address is the same donor, without a list of addresses. */
const DONORS_NAMESPACE = '3f0d2c5e-6f0a-4a53-9a55-0f3c1b6f8d21';

@Injectable()
export class AuthService {
  constructor(
    private readonly sessions: SessionsStore,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  /** @returns the token for the requests to come; nothing else knows it */
  signIn({ name, email }: SignIn): string {
    const donor = { id: nameUuid(DONORS_NAMESPACE, email), name };
    const { token, session } = this.sessions.open(donor);
    // No guard has seen this donor yet: a context of its own tells who it is.
    this.tracker.context('sign-in', { user: { id: donor.id }, session: { id: session.id } }, () => {
      this.tracker.emit('donor.signed_in', { name, email });
    });
    return token;
  }
}
