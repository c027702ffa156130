import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { createParamDecorator, Injectable, UnauthorizedException } from '@nestjs/common';
import { Tracker } from 'nestjs-tracking';
import type { Donor, Session } from './sessions.service.js';
import { SessionsService } from './sessions.service.js';

/** A request of Express or Fastify. Tracking records the ids of its `user` and `session`, and nothing else of them. */
export interface DonorRequest {
  readonly headers: { readonly authorization?: string };
  user?: Donor;
  session?: Session;
}

/** The donor whom `DonorGuard` let in, as a parameter. */
export const CurrentDonor = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<DonorRequest>().user,
);

/** Lets in donors who have signed in. From then on every event of the request knows who it is. */
@Injectable()
export class DonorGuard implements CanActivate {
  constructor(
    private readonly sessions: SessionsService,
    private readonly tracker: Tracker,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<DonorRequest>();
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    const session = this.sessions.find(token ?? '');
    if (session === undefined) {
      this.tracker.emit('access.denied', { reason: token === undefined ? 'no token' : 'unknown token' });
      throw new UnauthorizedException('POST /sign-in returns a token, for "Authorization: Bearer <token>"');
    }
    Object.assign(request, { session, user: session.user });
    return true;
  }
}
