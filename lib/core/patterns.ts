import type { Problems } from './options.js';

/** Whether a string matches a pattern. */
export type StringMatcher = (text: string) => boolean;

/** An exact name, a glob over the whole name (`*` any run of characters, `?` one), or a RegExp. */
export type NamePattern = string | RegExp;

/** Patterns as they are looked up: exact names cost one look-up, however many. */
export interface NamePatterns {
  readonly exact: ReadonlySet<string>;
  readonly others: readonly StringMatcher[];
}

const ANY_RUN = '*';
const ANY_ONE = '?';
const WILDCARD = /[*?]/;
const SURROGATE = /[\ud800-\udfff]/;

function isGlob(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/** `*` stands for any run of characters, also an empty one, `?` for one character. The whole string has to match. */
export function globMatcher(pattern: string): StringMatcher {
  if (!isGlob(pattern)) {
    return (text) => text === pattern;
  }
  const symbols = Array.from(pattern.replace(/\*+/g, ANY_RUN));
  return (text) =>
    // Indexing a string would take a character outside the BMP for two.
    matches(symbols, SURROGATE.test(text) ? Array.from(text) : text);
}

/**
 * Goes back no further than to the latest `*`: an earlier one can only take more of the string and leave less for the
 * rest. So the time never exceeds the length of the string times that of the pattern, however many `*` there are.
 */
function matches(pattern: readonly string[], text: ArrayLike<string>): boolean {
  let at = 0;
  let symbol = 0;
  let afterStar = -1;
  let runEnd = 0;
  while (at < text.length) {
    const wanted = pattern[symbol];
    if (wanted === ANY_RUN) {
      symbol++;
      if (symbol === pattern.length) {
        return true;
      }
      afterStar = symbol;
      runEnd = at;
    } else if (wanted === ANY_ONE || wanted === text[at]) {
      symbol++;
      at++;
    } else if (afterStar >= 0) {
      symbol = afterStar;
      at = ++runEnd;
    } else {
      return false;
    }
  }
  return symbol === pattern.length || (symbol === pattern.length - 1 && pattern[symbol] === ANY_RUN);
}

/** A RegExp's own `test` moves the `lastIndex` of a `g` or `y` one, and so gives another result the next time. */
export function regExpMatcher(pattern: RegExp): StringMatcher {
  const own = new RegExp(pattern);
  return (text) => {
    own.lastIndex = 0;
    return own.test(text);
  };
}

/** @param option the option that holds them, for the problems */
export function readNamePatterns(patterns: unknown, option: string, problems: Problems): NamePatterns {
  const exact = new Set<string>();
  const others: StringMatcher[] = [];
  if (!Array.isArray(patterns)) {
    problems.add(option, 'an array of names, globs and RegExps', patterns);
    return { exact, others };
  }
  // `Array.from` shows the holes of a sparse array.
  Array.from(patterns as unknown[]).forEach((pattern, index) => {
    if (pattern instanceof RegExp) {
      others.push(regExpMatcher(pattern));
    } else if (typeof pattern !== 'string' || pattern === '') {
      problems.add(`${option}[${index}]`, 'a name, a glob or a RegExp', pattern);
    } else if (isGlob(pattern)) {
      others.push(globMatcher(pattern));
    } else {
      exact.add(pattern);
    }
  });
  return { exact, others };
}

/** Reads patterns as one matcher: whether a name is like one of them. */
export function nameMatcher(patterns: unknown, option: string, problems: Problems): StringMatcher {
  const { exact, others } = readNamePatterns(patterns, option, problems);
  return (name) => exact.has(name) || others.some((matches) => matches(name));
}
