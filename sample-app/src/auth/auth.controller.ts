import { Body, Controller, Post, Req } from '@nestjs/common';
import { Track, Tracker } from 'nestjs-tracking';
import { nameUuid } from 'nestjs-tracking/core';
import { object, string } from '../schema.js';
import type { DonorRequest } from './donor.guard.js';
import { SessionsService } from './sessions.service.js';

interface SignIn {
  readonly name: string;
  readonly email: string;
}

export const signInSchema = object<SignIn>({
  name: string(80),
  email: string(254, /^[^\s@]+@[^\s@]+$/, 'an e-mail address'),
});

/** The namespace of donors' ids, which are made of e-mail addresses: who signs in again is the same donor. */
const DONORS = '3f0d2c5e-6f0a-4a53-9a55-0f3c1b6f8d21';

@Controller('sign-in')
export class AuthController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly tracker: Tracker,
  ) {}

  @Post()
  @Track('sign_in.refused', { on: 'failure' })
  signIn(@Body({ schema: signInSchema }) { name, email }: SignIn, @Req() request: DonorRequest) {
    const session = this.sessions.open({ id: nameUuid(DONORS, email.toLowerCase()), name });
    // No guard has seen this donor yet; the event below knows the user and the session all the same.
    Object.assign(request, { session, user: session.user });
    this.tracker.emit('donor.signed_in', { name, email });
    return { token: session.token };
  }
}
