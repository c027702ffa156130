const MAX_SHOWN = 80;

/** How a value appears in a message: short, on one line, and never throwing. */
export function show(value: unknown): string {
  try {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value.slice(0, MAX_SHOWN));
      case 'function':
        return `function ${value.name}`.trim();
      case 'bigint':
        return `${value.toString().slice(0, MAX_SHOWN)}n`;
      case 'object':
        return value === null ? 'null' : showObject(value);
      default:
        return String(value);
    }
  } catch {
    return `an unreadable ${typeof value}`;
  }
}

function showObject(value: object): string {
  if (Array.isArray(value)) {
    return `an array of ${value.length}`;
  }
  const keys = Object.keys(value).slice(0, 5).join(', ').slice(0, MAX_SHOWN);
  return keys === '' ? 'an empty object' : `an object with ${keys}`;
}

/** The message of whatever was thrown; never throws itself. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be shown';
  }
}
