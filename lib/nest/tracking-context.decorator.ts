import type { PipeTransform } from '@nestjs/common';
import { createParamDecorator, Inject, Injectable, Optional } from '@nestjs/common';
import type { JsonObject } from '../core/json.js';
import { EMPTY_OBJECT } from '../core/json.js';
import type { Tracker } from '../core/tracker.js';
import { TrackingHost } from './tracking-host.js';
import { getTrackerToken } from './tracking.tokens.js';

/** A decorator has no access to the injector, a pipe of it has. */
@Injectable()
class ResolveContextPipe implements PipeTransform<unknown, JsonObject> {
  constructor(
    @Optional()
    @Inject(getTrackerToken())
    private readonly tracker: Tracker | undefined,
    @Optional()
    @Inject(TrackingHost)
    private readonly host: TrackingHost | undefined,
  ) {}

  transform(): JsonObject {
    const tracker = this.tracker ?? this.host?.requestInstance?.tracker;
    return tracker?.resolveContext() ?? EMPTY_OBJECT;
  }
}

const ResolvedContextParam = createParamDecorator(() => undefined);

/** The merged context at the time of the call, as a parameter of a handler. Frozen. */
export function TrackingContext(): ParameterDecorator {
  return ResolvedContextParam(ResolveContextPipe);
}
