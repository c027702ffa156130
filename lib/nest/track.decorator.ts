import 'reflect-metadata';
import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { trackInterceptor } from './track.interceptor.js';
import type { TrackDefinition, TrackOptions } from './track.metadata.js';
import { NO_TRACK, TRACK } from './track.metadata.js';

/**
 * Emits an event when a handler has answered, in its context. On a controller it means all of its handlers; on a handler
 * it takes the place of the controller's. Several on one handler each emit their event.
 */
export function Track(name: string, options: TrackOptions = {}): ClassDecorator & MethodDecorator {
  const definition = { name, ...options };
  return applyDecorators(addDefinition(definition), UseInterceptors(trackInterceptor(definition)));
}

/** Beside those that the same class or method has. */
function addDefinition(definition: TrackDefinition): ClassDecorator & MethodDecorator {
  return (target: object, _key?: unknown, descriptor?: PropertyDescriptor) => {
    const place = (descriptor?.value ?? target) as object;
    const others = (Reflect.getOwnMetadata(TRACK, place) ?? []) as TrackDefinition[];
    Reflect.defineMetadata(TRACK, [...others, definition], place);
  };
}

/** Switches `@Track` off: on a handler of a controller that has it, or on a whole controller. */
export function NoTrack(): ClassDecorator & MethodDecorator {
  return SetMetadata(NO_TRACK, true);
}
