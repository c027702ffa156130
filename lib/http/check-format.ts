import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { ENCODERS, isFormatName } from '../formats/encoders.js';

const FUNCTIONS: readonly string[] = [
  ...['encode', 'outcome', 'partitionBy', 'groupBy', 'accept', 'takeBack'],
];
const LIMITS: readonly string[] = ['maxEvents', 'maxBytes'];
const TEXTS: readonly string[] = ['before', 'between', 'after', 'contentType'];

/** A format by its name, or an encoder of the app's own. */
export function checkFormat(problems: Problems, format: unknown): void {
  const isKnown =
    typeof format === 'string'
      ? isFormatName(format)
      : isRecord(format) && typeof format['encode'] === 'function';
  if (!isKnown) {
    const names = Object.keys(ENCODERS).join(', ');
    problems.add('format', `an encoder or one of ${names}`, format);
  } else if (isRecord(format)) {
    checkEncoder(problems, format);
  }
}

function checkEncoder(problems: Problems, encoder: Record<string, unknown>): void {
  if (typeof encoder['name'] !== 'string') {
    problems.add('format.name', 'a string', encoder['name']);
  }
  for (const key of FUNCTIONS) {
    problems.optional(encoder[key], (value) => {
      problems.function(`format.${key}`, value);
    });
  }
  for (const key of LIMITS) {
    problems.optional(encoder[key], (value) => {
      problems.positiveInteger(`format.${key}`, value);
    });
  }
  problems.optional(encoder['joined'], (joined) => {
    const isJoined = isRecord(joined) && TEXTS.every((key) => typeof joined[key] === 'string');
    if (!isJoined) {
      problems.add('format.joined', `{ ${TEXTS.join(', ')} }`, joined);
    }
  });
}
