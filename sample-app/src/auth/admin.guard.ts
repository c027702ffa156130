import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable, UnauthorizedException } from '@nestjs/common';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import { Settings } from '../settings/settings.js';
import { bearerToken, sameToken } from './bearer-token.js';
import type { AuthenticatedRequest } from './donor.js';

/** Lets in whoever has the token of the admin, which is printed at the start. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    private readonly settings: Settings,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = bearerToken(request.headers.authorization);
    if (token === undefined || !sameToken(token, this.settings.adminToken)) {
      const reason = token === undefined ? 'no token' : 'unknown token';
      this.tracker.emit('access.denied', { to: 'admins', reason });
      throw new UnauthorizedException(reason);
    }
    request.user = { id: 'admin' };
    return true;
  }
}
