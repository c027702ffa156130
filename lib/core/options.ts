import type { Clock } from './clock.js';
import { describeValue } from './describe.js';
import { TrackingError } from './errors.js';

/*
 * Reads what an app gives as options. A table of readers says it all at once: which options there are, what each must be,
 * its default, and the type that the code works with.
 *
 *   const limits = object({ maxEvents: optional(positiveInteger, 1_000), onFull: optional(aFunction<() => void>()) });
 *   const { maxEvents, onFull } = readOptions('the limits are wrong', given, limits);
 */

/** Reads one option. What is wrong goes to `problems`; what is returned then is never used. */
export type OptionReader<T> = (given: unknown, path: string, problems: Problems) => T;

/** What a reader returns: `OptionsOf<typeof limits>`. */
export type OptionsOf<Reader> = Reader extends OptionReader<infer T> ? T : never;

type Table = Readonly<Record<string, OptionReader<unknown>>>;
type Read<Readers extends Table> = { readonly [Key in keyof Readers]: OptionsOf<Readers[Key]> };

/** @param expected how a message calls it: `a positive integer` */
export function value<T>(expected: string, isRight: (given: unknown) => boolean): OptionReader<T> {
  return (given, path, problems) => {
    if (!isRight(given)) {
      problems.add(path, expected, given);
    }
    return given as T;
  };
}

export const boolean = value<boolean>('true or false', (given) => typeof given === 'boolean');
export const positiveInteger = value<number>('a positive integer', isPositiveInteger);
export const milliseconds = value<number>('milliseconds, 0 or more', isMilliseconds);
export const nonEmptyString = value<string>('a non-empty string', isNonEmptyString);
export const anyObject = value<object>('an object', isRecord);

export function aFunction<F>(): OptionReader<F> {
  return value('a function', (given) => typeof given === 'function');
}

export function oneOf<const T extends readonly unknown[]>(...known: T): OptionReader<T[number]> {
  const shown = known.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)));
  return value(shown.join(' or '), (given) => known.includes(given));
}

/** An option that may be left out, or be `undefined`. */
export function optional<T>(read: OptionReader<T>): OptionReader<T | undefined>;
export function optional<T, const D>(read: OptionReader<T>, fallback: D): OptionReader<T | D>;
export function optional<T>(read: OptionReader<T>, fallback?: T): OptionReader<T | undefined> {
  return (given, path, problems) => (given === undefined ? fallback : read(given, path, problems));
}

/** Options by name, and no others. Nothing given counts as none of them. */
export function object<Readers extends Table>(readers: Readers): OptionReader<Read<Readers>> {
  const names = Object.keys(readers);
  return (given, path, problems) => {
    const options = given ?? {};
    if (given === null || !isRecord(options)) {
      problems.add(path === '' ? 'options' : path, 'an object', given);
      return {} as Read<Readers>;
    }
    problems.onlyKeys(path, options, names);
    return Object.fromEntries(
      Object.entries(readers).map(([name, read]) => [
        name,
        read(options[name], optionPath(path, name), problems),
      ]),
    ) as Read<Readers>;
  };
}

/**
 * Values by names that the app chooses, as a map: a name may be `constructor`.
 *
 * @param readName what the names must be, and what is made of them; any string will do without it
 */
export function mapOf<T>(expected: string, read: OptionReader<T>): OptionReader<ReadonlyMap<string, T>>;
export function mapOf<T, Name>(
  expected: string,
  read: OptionReader<T>,
  readName: OptionReader<Name>,
): OptionReader<ReadonlyMap<Name, T>>;
export function mapOf<T>(
  expected: string,
  read: OptionReader<T>,
  readName: OptionReader<unknown> = (name) => name,
): OptionReader<ReadonlyMap<unknown, T>> {
  return (given, path, problems) => {
    if (!isRecord(given)) {
      problems.add(path, expected, given);
      return new Map();
    }
    return new Map(
      Object.entries(given).map(([name, item]) => {
        const at = `${path}[${JSON.stringify(name)}]`;
        return [readName(name, `the name of ${at}`, problems), read(item, at, problems)];
      }),
    );
  };
}

/** An object with these methods, whatever else it is: a clock, a store, a driver's client. */
export function withMethods<T>(expected: string, ...methods: readonly (keyof T & string)[]): OptionReader<T> {
  return (given, path, problems) => {
    if (!isRecord(given)) {
      problems.add(path, expected, given);
    } else {
      for (const method of methods) {
        aFunction()(given[method], optionPath(path, method), problems);
      }
    }
    return given as T;
  };
}

export const clock = withMethods<Clock>('a clock', 'now', 'monotonicMs', 'setTimeout', 'clearTimeout');

export function listOf<T>(
  expected: string,
  read: OptionReader<T>,
  minLength = 0,
): OptionReader<readonly T[]> {
  return (given, path, problems) => {
    if (!Array.isArray(given) || given.length < minLength) {
      problems.add(path, expected, given);
      return [];
    }
    // `Array.from` shows the holes of a sparse array.
    return Array.from(given as unknown[], (item, index) => read(item, `${path}[${index}]`, problems));
  };
}

/** A list, or the one item that it would hold. */
export function oneOrMany<T>(read: OptionReader<T>): OptionReader<readonly T[]> {
  return (given, path, problems) =>
    Array.isArray(given) ? listOf('a list', read)(given, path, problems) : [read(given, path, problems)];
}

/** @throws TrackingError `invalid_options` with everything that is wrong */
export function readOptions<T>(title: string, given: unknown, read: OptionReader<T>): T {
  const problems = new Problems();
  const options = read(given, '', problems);
  problems.throwIfAny(title);
  return options;
}

/**
 * Reads the arguments of a factory, by their names.
 *
 * @throws TrackingError `invalid_options` with everything that is wrong
 */
export function readArguments<Readers extends Table>(
  factory: string,
  given: { readonly [Name in keyof Readers]: unknown },
  readers: Readers,
): Read<Readers> {
  return readOptions(`the arguments of ${factory}() are wrong`, given, object(readers));
}

export function optionPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Gathers everything that is wrong with an app's options, so that a boot fails once, with the whole list. */
export class Problems {
  private readonly lines: string[] = [];
  private cause: unknown;

  /** @param path the option, as the app writes it: `backends.warehouse` */
  add(path: string, expected: string, given: unknown): void {
    this.lines.push(`expected ${path} to be ${expected}, got ${describeValue(given)}`);
  }

  /**
   * A problem that names expected and given itself.
   *
   * @param error what it comes of; the first becomes the `cause` of the error that lists all problems
   */
  addLine(path: string, line: string, error?: unknown): void {
    this.lines.push(`${path}: ${line}`);
    this.cause ??= error;
  }

  positiveInteger(path: string, given: unknown): void {
    positiveInteger(given, path, this);
  }

  milliseconds(path: string, given: unknown): void {
    milliseconds(given, path, this);
  }

  optional<T>(given: T | undefined, check: (given: T) => void): void {
    if (given !== undefined) {
      check(given);
    }
  }

  function(path: string, given: unknown): void {
    aFunction()(given, path, this);
  }

  boolean(path: string, given: unknown): void {
    boolean(given, path, this);
  }

  /** Names what is not an option at all: most often a typing mistake. */
  onlyKeys(path: string, options: object, known: readonly string[]): void {
    for (const key of Object.keys(options)) {
      if (!known.includes(key)) {
        this.lines.push(`${optionPath(path, key)} is not an option; known are ${known.join(', ')}`);
      }
    }
  }

  get found(): boolean {
    return this.lines.length > 0;
  }

  /** @throws TrackingError `invalid_options` with every problem, if there is any */
  throwIfAny(title: string): void {
    if (this.found) {
      const lines = this.lines.map((line) => `  - ${line}`);
      const options = this.cause === undefined ? {} : { cause: this.cause };
      throw new TrackingError('invalid_options', `${title}:\n${lines.join('\n')}`, options);
    }
  }
}

export function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function isPositiveInteger(given: unknown): boolean {
  return Number.isSafeInteger(given) && (given as number) >= 1;
}

function isMilliseconds(given: unknown): boolean {
  return typeof given === 'number' && Number.isFinite(given) && given >= 0;
}

function isNonEmptyString(given: unknown): boolean {
  return typeof given === 'string' && given !== '';
}
