import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ExecutionDoor } from './execution-door.js';

/** Tells the events of a request which handler it reached. Forbids nothing. */
export class HandlerGuard implements CanActivate {
  constructor(private readonly door: ExecutionDoor) {}

  canActivate(execution: ExecutionContext): boolean {
    if (execution.getType() === 'http') {
      this.door.reachHandler(execution);
    }
    return true;
  }
}
