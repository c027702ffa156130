import type { JsonObject } from '../core/json.js';
import { sanitize, TOO_LARGE } from '../core/sanitize.js';
import { isRecord } from '../core/options.js';
import { outOfRange, wrongType } from './arguments.js';
import type { RecordedFacts } from './metrics.js';
import type { StoredFacts } from './metrics-store.js';

const MAX_BYTES = 64 * 1024;
const LIMITS = { maxBytes: MAX_BYTES, maxDepth: 100 };

/**
 * The JSON of facts. What JSON would change is refused: facts come back as they were given.
 *
 * @throws TypeError or RangeError
 */
export function factsJson(facts: unknown): string {
  if (!isRecord(facts)) {
    throw wrongType('facts', 'an object', facts);
  }
  try {
    const { value, changes } = sanitize(facts, LIMITS);
    if (changes.length > 0) {
      throw new TypeError(`expected facts to be what JSON can hold: ${changes.join('; ')}`);
    }
    refuseChanges(facts, 'facts');
    return JSON.stringify(value);
  } catch (error) {
    throw error === TOO_LARGE ? outOfRange('facts', `at most ${MAX_BYTES} bytes of JSON`, facts) : error;
  }
}

/** A date, for one, is JSON's business, but comes back as a string. Depth and cycles have been looked at before. */
function refuseChanges(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (!Array.isArray(value) && !isPlain(value)) {
    throw wrongType(path, 'plain JSON', value);
  }
  for (const [key, child] of Object.entries(value)) {
    refuseChanges(child, `${path}.${key}`);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    typeof (value as { toJSON?: unknown }).toJSON !== 'function'
  );
}

export function recordedFacts({ atMs, json }: StoredFacts): RecordedFacts {
  return {
    at: new Date(atMs).toISOString(),
    facts: JSON.parse(json) as JsonObject,
  };
}
