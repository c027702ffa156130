import { createHmac, randomBytes } from 'node:crypto';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { Processor } from '../core/processor.js';
import { filter } from '../core/processor.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import type { DottedPath } from './dotted-path.js';
import { parsePath } from './dotted-path.js';
import { named, readArguments } from './named.js';
import type { Replacement } from './redaction.js';
import { planRedaction, redactObject } from './redaction.js';

/**
 * - `remove` leaves the value out, from an array too.
 * - `mask` puts `***` in its place, whatever it was.
 * - `hash` puts 64 hex digits of an HMAC-SHA-256 in its place: the same value and key always give the same digits. A text
 *   is hashed as it is, anything else as its JSON; `null` stays `null`.
 */
export type RedactAction = 'remove' | 'mask' | 'hash';

export interface RedactOptions {
  /** Dotted paths below `data` or `context`; `*` is every element or key. One that leads nowhere is no error. */
  readonly paths: readonly string[];
  /** Default: `remove`. */
  readonly action?: RedactAction;
  /** For `hash`. Default: random and the same for the whole process, so that hashes of two processes never match. */
  readonly key?: string | Uint8Array;
}

/** What `mask` puts in place of a value. */
const MASK = '***';
const KEY_BYTES = 32;
const PROCESS_KEY: Uint8Array = randomBytes(KEY_BYTES);
type Field = 'data' | 'context';
const FIELDS: readonly Field[] = ['data', 'context'];
const ACTIONS: readonly RedactAction[] = ['remove', 'mask', 'hash'];

/**
 * A filter that takes personal data out of events. When it fails the event is dropped. Keys stay readable: where the keys
 * of an object are secret themselves, redact the object.
 *
 * @example redact({ paths: ['data.donor.email', 'data.cards.*.number', 'context.user'], action: 'hash', key })
 * @throws TrackingError `invalid_options`
 */
export function redact(options: RedactOptions): Processor {
  const { paths, action, key } = readArguments('redact', (problems) => readOptions(options, problems));
  const replacement = replacementFor(action, key);
  // A field without paths is not even read: `data` is JSON until somebody asks for it.
  const plans = FIELDS.flatMap((field) => {
    const below = paths.filter(([first]) => first === field);
    const plan = planRedaction(below.map(([, ...steps]) => steps));
    return plan === undefined ? [] : [{ field, plan }];
  });
  return named(
    'redact',
    filter((event) => {
      const changes: Partial<Record<Field, JsonObject>> = {};
      for (const { field, plan } of plans) {
        const redacted = redactObject(event[field], plan, replacement);
        if (redacted !== event[field]) {
          changes[field] = redacted;
        }
      }
      return Object.keys(changes).length === 0 ? undefined : { ...event, ...changes };
    }),
  );
}

type Key = string | Uint8Array;

function replacementFor(action: RedactAction, key: Key): Replacement {
  switch (action) {
    case 'remove':
      return () => undefined;
    case 'mask':
      return () => MASK;
    case 'hash':
      return (value) => (value === null ? null : hash(value, key));
  }
}

function hash(value: JsonValue, key: Key): string {
  return createHmac('sha256', key)
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex');
}

interface Redacting {
  readonly paths: readonly DottedPath[];
  readonly action: RedactAction;
  readonly key: Key;
}

function readOptions(options: RedactOptions, problems: Problems): Redacting {
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return { paths: [], action: 'remove', key: PROCESS_KEY };
  }
  const { action = 'remove', key = PROCESS_KEY } = options as RedactOptions;
  problems.onlyKeys('', options, ['paths', 'action', 'key']);
  if (!ACTIONS.includes(action)) {
    problems.add('action', `one of ${ACTIONS.join(', ')}`, action);
  }
  if (!isKey(key)) {
    // A message never shows a key, not even a wrong one.
    problems.addLine('key', 'expected a text or bytes, not empty');
  } else if (key !== PROCESS_KEY && action !== 'hash') {
    problems.addLine('key', "only the action 'hash' takes a key");
  }
  return { paths: readPaths(options.paths, problems), action, key };
}

function isKey(key: unknown): key is Key {
  return (typeof key === 'string' || key instanceof Uint8Array) && key.length > 0;
}

function readPaths(paths: unknown, problems: Problems): readonly DottedPath[] {
  if (!Array.isArray(paths) || paths.length === 0) {
    problems.add('paths', 'a list of at least one dotted path', paths);
    return [];
  }
  return Array.from(paths as unknown[]).flatMap((text, index) => {
    const option = `paths[${index}]`;
    const path = parsePath(text, option, problems);
    if (path === undefined) {
      return [];
    }
    if (path.length === 1 || !(FIELDS as readonly unknown[]).includes(path[0])) {
      problems.add(option, `a path below ${FIELDS.join(' or ')}`, text);
    }
    return [path];
  });
}
