import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { trackInterceptor } from './track.interceptor.js';
import type { TrackOptions } from './track.metadata.js';
import { NO_TRACK, TRACK } from './track.metadata.js';

/**
 * Emits an event when a handler has answered, in its context. On a controller it means all of its handlers; on a handler
 * it takes the place of the controller's.
 */
export function Track(
  name: string,
  options: TrackOptions = {},
): ClassDecorator & MethodDecorator {
  const definition = { name, ...options };
  return applyDecorators(
    SetMetadata(TRACK, definition),
    UseInterceptors(trackInterceptor(definition)),
  );
}

/** Switches `@Track` off: on a handler of a controller that has it, or on a whole controller. */
export function NoTrack(): ClassDecorator & MethodDecorator {
  return SetMetadata(NO_TRACK, true);
}
