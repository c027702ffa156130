import { Inject } from '@nestjs/common';
import { DEFAULT_NAME } from './tracker.tokens.js';

/** The token of the metrics of `forRoot`: `app.get(getMetricsToken())`. */
export function getMetricsToken(name: string = DEFAULT_NAME): string {
  return `nestjs-tracking:metrics:${name}`;
}

/** Injects the `metrics` of `TrackingModule.forRoot`; with a name those of the instance of that name. */
export function InjectMetrics(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getMetricsToken(name));
}
