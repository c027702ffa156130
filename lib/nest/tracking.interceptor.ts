import type {
  CallHandler,
  ExecutionContext,
  NestInterceptor,
} from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ExecutionDoor } from './execution-door.js';

/**
 * Opens a scope for handlers that no middleware sees: `@UseInterceptors(TrackingInterceptor)` on gateways, on the
 * message handlers of hybrid apps and on the resolvers of subscriptions. Where a scope is open it only adds the handler.
 */
@Injectable()
export class TrackingInterceptor implements NestInterceptor {
  constructor(@Inject(ExecutionDoor) private readonly door: ExecutionDoor) {}

  intercept(
    execution: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> {
    return this.door.within(execution, () => next.handle());
  }
}
