import type { ExecutionContext, Type } from '@nestjs/common';
import type { HandlerFrame } from '../express/request-frames.js';
import type { RequestSource } from '../express/request-options.js';

export type Method = (...args: never[]) => unknown;

/** A method of a controller, as events and callbacks are told of it. */
export interface RouteHandler {
  readonly type: Type;
  readonly method: Method;
  /** Frozen. */
  readonly frame: HandlerFrame;
}

/**
 * What Nest tells guards of an execution, for `user` and `session`: Nest's own is not at hand where they are asked. Its
 * `next` does nothing.
 */
export class RouteExecution implements ExecutionContext {
  /** @param reply absent on Express, whose request knows its response */
  constructor(
    private readonly handler: RouteHandler,
    private readonly request: RequestSource,
    private readonly reply: unknown,
  ) {}

  // `never` stands for whatever type the caller asks for.

  getClass(): never {
    return this.handler.type as never;
  }

  getHandler(): Method {
    return this.handler.method;
  }

  getType(): never {
    return 'http' as never;
  }

  getArgs(): never {
    const { request, reply } = this;
    return [request, reply ?? request.res, next] as never;
  }

  getArgByIndex(index: number): never {
    const args: readonly unknown[] = this.getArgs();
    return args[index] as never;
  }

  switchToHttp(): ReturnType<ExecutionContext['switchToHttp']> {
    return {
      getRequest: () => this.getArgByIndex(0),
      getResponse: () => this.getArgByIndex(1),
      getNext: () => this.getArgByIndex(2),
    };
  }

  switchToRpc(): ReturnType<ExecutionContext['switchToRpc']> {
    return {
      getData: () => this.getArgByIndex(0),
      getContext: () => this.getArgByIndex(1),
    };
  }

  switchToWs(): ReturnType<ExecutionContext['switchToWs']> {
    return {
      getClient: () => this.getArgByIndex(0),
      getData: () => this.getArgByIndex(1),
      getPattern: () => this.getArgByIndex(2),
    };
  }
}

function next(): void {
  // Nobody goes on with a request from where an event is made.
}
