import type { ExecutionContext } from '@nestjs/common';
import type { Scope } from '../core/scope.js';
import { RequestContext } from '../express/request-context.js';
import type { HandlerFrame } from '../express/request-frames.js';

export function handlerFrame(
  execution: ExecutionContext,
  kind: HandlerFrame['kind'],
): HandlerFrame & Record<string, string> {
  return Object.freeze({
    kind,
    class: execution.getClass().name,
    method: execution.getHandler().name,
  });
}

/** Tells the scope of an HTTP request its handler. */
export function reachHandler(execution: ExecutionContext, scope: Scope | undefined): void {
  const owner = scope?.owner;
  if (owner instanceof RequestContext) {
    owner.bottom.handler = handlerFrame(execution, 'http');
    owner.bottom.execution = execution;
  }
}
