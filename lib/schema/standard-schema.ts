/**
 * What zod, valibot, arktype and others have in common: https://standardschema.dev, version 1. Written down here, so that
 * none of them, nor the specification's own package, is needed.
 */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Whether a value can validate in this way. Some libraries' schemas are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    return false;
  }
  const standard = (value as Partial<StandardSchema>)['~standard'] as
    Partial<StandardSchema['~standard']> | undefined;
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/** One line: `items.0.price: expected a number`. */
export function issueLine({ message, path = [] }: StandardIssue): string {
  const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}
