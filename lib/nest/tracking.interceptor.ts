import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ExecutionDoor } from './execution-door.js';

/**
 * Opens a scope for handlers that no middleware sees. It is there by itself wherever Nest takes an app's global
 * interceptors; `@UseInterceptors(TrackingInterceptor)` is for where it does not: gateways on Nest 11, and message
 * handlers that are connected without `inheritAppConfig`. Where a scope is open it only adds the handler.
 */
@Injectable()
export class TrackingInterceptor implements NestInterceptor {
  constructor(@Inject(ExecutionDoor) private readonly door: ExecutionDoor) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return this.door.within(execution, () => next.handle());
  }
}
