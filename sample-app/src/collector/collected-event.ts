/** An event as the collector sees it: the rest is kept as it is. */
export interface CollectedEvent {
  readonly id: string;
  readonly name: string;
}

/** Undefined when it is not one. */
export function readEvent(json: string): CollectedEvent | undefined {
  const value = parse(json);
  return isEvent(value) ? value : undefined;
}

/** A batch in the format `json` is an array of events; undefined when it is not one. */
export function readBatch(json: string): readonly CollectedEvent[] | undefined {
  const value = parse(json);
  return Array.isArray(value) && value.every(isEvent) ? value : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is CollectedEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    'name' in value &&
    typeof value.id === 'string' &&
    typeof value.name === 'string'
  );
}
