const MAX_SHOWN = 80;
/** Errors inside errors are shown so deep. */
const MAX_CAUSES = 3;
/** A code that says something of its own: ECONNREFUSED, P2002, 23505. */
const SYSTEM_CODE = /^[A-Z0-9_]+$/;

/** How a value appears in a message: short, on one line. Never throws. */
export function describeValue(value: unknown): string {
  try {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value.slice(0, MAX_SHOWN));
      case 'function':
        return `function ${value.name}`.trim();
      case 'bigint':
        return `${value.toString().slice(0, MAX_SHOWN)}n`;
      case 'object':
        return value === null ? 'null' : describeObject(value);
      default:
        return String(value);
    }
  } catch {
    return `an unreadable ${typeof value}`;
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) {
    return `an array of ${value.length}`;
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'an invalid date' : `the date ${value.toISOString()}`;
  }
  const keys = Object.keys(value).slice(0, 5).join(', ').slice(0, MAX_SHOWN);
  return keys === '' ? 'an empty object' : `an object with ${keys}`;
}

/**
 * What an error says: its message, its code, its cause and the errors inside it (an AggregateError, which Node throws
 * where a name has several addresses, has no message of its own). Never empty, never throws.
 */
export function errorMessage(error: unknown): string {
  try {
    return messageOf(error, MAX_CAUSES);
  } catch {
    return 'an error that cannot be shown';
  }
}

function messageOf(error: unknown, depth: number): string {
  // By shape: errors of Node's core are no instances of a test runner's Error.
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return String(error) || 'an empty error';
  }
  const { name, message, code, cause, errors } = error as Partial<AggregateError> & {
    readonly code?: unknown;
  };
  const inside = depth === 0 || !Array.isArray(errors) ? [] : errors.map((one) => messageOf(one, depth - 1));
  const text =
    [String(message), ...new Set(inside)].filter((part) => part !== '').join('; ') ||
    String(name) ||
    'an empty error';
  const withCode =
    typeof code === 'string' && SYSTEM_CODE.test(code) && !text.includes(code) ? `${text} (${code})` : text;
  if (cause === undefined || depth === 0) {
    return withCode;
  }
  const why = messageOf(cause, depth - 1);
  return withCode.includes(why) ? withCode : `${withCode}: ${why}`;
}
