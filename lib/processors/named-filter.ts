import type { Processor } from '../core/processor.js';
import { filter } from '../core/processor.js';

/** A filter with the name that reports call it by: `filter` wraps a function, and so loses its name. */
export function namedFilter(name: string, process: Processor): Processor {
  return Object.defineProperty(filter(process), 'name', { value: name });
}
