import { createHmac, randomBytes } from 'node:crypto';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { OptionReader, OptionsOf } from '../core/options.js';
import { listOf, object, oneOf, optional, readOptions } from '../core/options.js';
import type { Processor } from '../core/processor.js';
import type { PathStep } from './event-tree.js';
import { EVERY, innerPath, isParent, mapChildren } from './event-tree.js';
import { namedFilter } from './named-filter.js';

/*
 * Invariants
 * - Every value that a path leads to is replaced, once, whether one path leads there or several.
 * - What no path leads to stays the very same object, so that unchanged payloads are recognised.
 * - A path that can lead nowhere stops the boot, and an event that cannot be redacted is dropped.
 */

/**
 * - `remove` leaves the value out, from an array too.
 * - `mask` puts `***` in its place, whatever it was.
 * - `hash` puts 64 hex digits of an HMAC-SHA-256 in its place: the same value and key always give the same digits. A
 *   string is hashed as it is, anything else as its JSON; `null` stays `null`.
 */
export type RedactAction = 'remove' | 'mask' | 'hash';

export interface RedactOptions {
  /**
   * Dotted paths below `data` or `context`. `*` is every element or key; a path to an object or array takes all that is in
   * it. A `.`, `*`, `[` or `]` that is part of a key follows a backslash. Events without a value at a path are fine.
   */
  readonly paths: readonly string[];
  /** Default: `remove`. */
  readonly action?: RedactAction;
  /** For `hash`. Default: random and the same for the whole process, so that hashes of two processes never match. */
  readonly key?: string | Uint8Array;
}

const PROCESS_KEY: Uint8Array = randomBytes(32);

/**
 * A filter that takes personal data out of events. When it fails the event is dropped. Keys stay readable: where the keys
 * of an object are secret themselves, redact the object.
 *
 * @example redact({ paths: ['data.donor.email', 'data.cards.*.number', 'context.user'], action: 'hash', key })
 * @throws TrackingError `invalid_options`
 */
export function redact(options: RedactOptions): Processor {
  const { paths, action, key } = readOptions('the arguments of redact() are wrong', options, redactOptions);
  const replace = REPLACEMENTS[action](key);
  // A field without paths is not even read: `data` stays JSON until it is asked for.
  const fields = (['data', 'context'] as const).filter((field) => paths.some(([first]) => first === field));
  const redactors = fields.map((field) => {
    const below = paths.filter(([first]) => first === field).map(([, ...steps]) => steps);
    return [field, redactor(below, replace) as (object: JsonObject) => JsonObject] as const;
  });
  return namedFilter('redact', (event) => {
    const changes: { data?: JsonObject; context?: JsonObject } = {};
    for (const [field, redacted] of redactors) {
      const before = event[field];
      const after = redacted(before);
      if (after !== before) {
        changes[field] = after;
      }
    }
    return Object.keys(changes).length === 0 ? undefined : { ...event, ...changes };
  });
}

type Key = string | Uint8Array;

/** A message never shows a key, not even a wrong one. */
const hashKey: OptionReader<Key> = (given, path, problems) => {
  if (!(typeof given === 'string' || given instanceof Uint8Array) || given.length === 0) {
    problems.addLine(path, 'expected a string or bytes, not empty');
  }
  return given as Key;
};

const table = object({
  paths: listOf('a list of at least one dotted path', innerPath, 1),
  action: optional(oneOf('remove', 'mask', 'hash'), 'remove'),
  key: optional(hashKey),
});

const redactOptions: OptionReader<OptionsOf<typeof table>> = (given, path, problems) => {
  const options = table(given, path, problems);
  if (options.key !== undefined && (options.action === 'remove' || options.action === 'mask')) {
    problems.addLine('key', "only the action 'hash' takes a key");
  }
  return options;
};

/** Replaces a value; `undefined` leaves it out. */
type Replace = (value: JsonValue) => JsonValue | undefined;

const REPLACEMENTS: Readonly<Record<RedactAction, (key: Key | undefined) => Replace>> = {
  remove: () => () => undefined,
  mask: () => () => '***',
  hash: (key) => (value) => (value === null ? null : hash(value, key ?? PROCESS_KEY)),
};

function hash(value: JsonValue, key: Key): string {
  return createHmac('sha256', key)
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex');
}

/** Redacts a value by all the paths that lead into it, merged: where none does, it stays the very same value. */
function redactor(paths: readonly (readonly PathStep[])[], replace: Replace): Replace {
  if (paths.length === 0) {
    return (value) => value;
  }
  if (paths.some(({ length }) => length === 0)) {
    return replace;
  }
  // `*` goes on with every step.
  const below = (step: PathStep | undefined): Replace =>
    redactor(
      paths.filter(([first]) => first === step || first === EVERY).map(([, ...rest]) => rest),
      replace,
    );
  const byKey = new Map(paths.map(([step]) => [step, below(step)]));
  const others = below(EVERY);
  return (value) =>
    isParent(value) ? mapChildren(value, (child, key) => (byKey.get(key) ?? others)(child)) : value;
}
