/** A check of one field. What it expects completes the message of a 400. */
interface Field {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

export const string = (maxLength: number, pattern = /\S/, what = 'a string'): Field => ({
  expected: `${what} of 1 to ${maxLength} characters`,
  accepts: (value) => typeof value === 'string' && value.length <= maxLength && pattern.test(value),
});

export const integer = (min: number, max: number): Field => ({
  expected: `an integer from ${min} to ${max}`,
  accepts: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
});

export const optional = ({ expected, accepts }: Field): Field => ({
  expected,
  accepts: (value) => value === undefined || accepts(value),
});

/**
 * A Standard Schema (https://standardschema.dev) for Nest's `StandardSchemaValidationPipe`. With zod, valibot or arktype
 * you write `@Body({ schema: z.object({ … }) })` and need none of this file; this app does without a dependency.
 */
export function object<T>(fields: Readonly<Record<keyof T & string, Field>>) {
  const checks = Object.entries<Field>(fields);
  const validate = (body: unknown) => {
    const given = Object(body) as Readonly<Record<string, unknown>>;
    const issues = checks
      .filter(([name, { accepts }]) => !accepts(given[name]))
      .map(([name, { expected }]) => ({ path: [name], message: `expected ${expected}` }));
    const value = Object.fromEntries(checks.map(([name]) => [name, given[name]])) as T;
    return issues.length > 0 ? { issues } : { value };
  };
  return { '~standard': { version: 1 as const, vendor: 'sample-app', validate } };
}
