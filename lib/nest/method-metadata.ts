import 'reflect-metadata';

type Method = (this: unknown, ...args: never[]) => unknown;

export function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}

/** Makes a wrapper look like the method that it wraps: other decorators, above and below, keep working. */
export function copyMetadata(from: Method, to: object): void {
  Object.defineProperties(to, {
    name: { value: from.name, configurable: true },
    length: { value: from.length, configurable: true },
  });
  for (const key of Reflect.getMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
  }
}
