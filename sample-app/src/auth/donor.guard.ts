import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable, UnauthorizedException } from '@nestjs/common';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import { bearerToken } from './bearer-token.js';
import type { AuthenticatedRequest } from './donor.js';
import { SessionsStore } from './sessions.store.js';

/** Lets donors in who have signed in. From here on every event of the request knows them. */
@Injectable()
export class DonorGuard implements CanActivate {
  constructor(
    private readonly sessions: SessionsStore,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = bearerToken(request.headers.authorization);
    const session = token === undefined ? undefined : this.sessions.find(token);
    if (session === undefined) {
      const reason = token === undefined ? 'no token' : 'unknown token';
      this.tracker.emit('access.denied', { to: 'donors', reason });
      throw new UnauthorizedException(`${reason}: POST /sign-in gives one`);
    }
    request.user = session.donor;
    request.session = { id: session.id };
    return true;
  }
}
