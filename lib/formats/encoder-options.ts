import { isRecord, Problems } from '../core/options.js';

/**
 * Checks the options of a factory; answers them.
 *
 * @param known the names of all options there are
 * @throws TrackingError `invalid_options` with everything that is wrong
 */
export function checkedOptions<T extends object>(
  factory: string,
  options: T,
  known: readonly (keyof T & string)[],
  check: (options: T, problems: Problems) => void,
): T {
  const problems = new Problems();
  if (isRecord(options)) {
    problems.onlyKeys('', options, known);
    check(options, problems);
  } else {
    problems.add('options', 'an object', options);
  }
  problems.throwIfAny(`the options of ${factory}() are wrong`);
  return options;
}

export function checkText(problems: Problems, path: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    problems.add(path, 'a non-empty string', value);
  }
}

/** Like `checkText`, for what must not be shown. */
export function checkSecret(problems: Problems, path: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') {
    problems.addLine(
      path,
      `expected a non-empty string, got ${value === '' ? 'an empty one' : typeof value}`,
    );
  }
}

export function checkOneOf(
  problems: Problems,
  path: string,
  value: unknown,
  choices: readonly string[],
): void {
  if (!choices.includes(value as string)) {
    problems.add(path, choices.map((choice) => `'${choice}'`).join(' or '), value);
  }
}

/** An absolute URL of http or https. Credentials and query are not shown. */
export function checkUrl(problems: Problems, path: string, value: unknown): void {
  const isUrl = typeof value === 'string' && /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);
  if (!isUrl) {
    problems.add(path, 'a URL of http or https', typeof value === 'string' ? withoutSecrets(value) : value);
  }
}

function withoutSecrets(url: string): string {
  return url.replace(/[?#][^]*$/, '').replace(/^[^]*@/, '…@');
}
