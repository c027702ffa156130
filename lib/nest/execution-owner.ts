import type { ExecutionContext } from '@nestjs/common';
import type { JsonObject } from '../core/json.js';
import type { ScopeOwner } from '../core/scope-owner.js';
import { RequestFrames } from '../express/request-frames.js';
import type { RequestSource } from '../express/request-options.js';
import type { RequestTracking } from '../express/request-tracking.js';

/** One message of a gateway or a microservice, or one operation of GraphQL that is no HTTP request. */
export class ExecutionOwner implements ScopeOwner {
  readonly bottom: RequestFrames;

  constructor(requests: RequestTracking, execution: ExecutionContext, source: RequestSource) {
    this.bottom = new RequestFrames(requests, undefined, source);
    this.bottom.execution = execution;
  }

  frames(): JsonObject {
    return this.bottom.get();
  }
}
