import { isRecord } from '../core/options.js';
import type { ProcessIdentity } from './process-identity.js';

/**
 * A range of events, and who may lease them: at first the backlog that accepted them, whose record it also is; later
 * the one that adopted it.
 */
export interface RangeRecord extends ProcessIdentity {
  readonly tracker: string;
  readonly path: string;
  /** The range whose backlog holds this one. */
  readonly holder: string;
  /** Epoch milliseconds of the last heartbeat of the backlog whose range this is. */
  readonly beat: number;
  /** Its backlog was closed. */
  readonly closed?: true;
}

export interface StoredRange {
  readonly id: string;
  readonly version: number;
  readonly record: RangeRecord;
}

export function encodeRecord(record: RangeRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** `undefined` for what is no record of ours: a later version may have written it. */
export function decodeRecord(value: Buffer): RangeRecord | undefined {
  try {
    const record: unknown = JSON.parse(value.toString());
    return isRecord(record) &&
      typeof record['holder'] === 'string' &&
      typeof record['tracker'] === 'string' &&
      typeof record['path'] === 'string' &&
      typeof record['beat'] === 'number'
      ? (record as unknown as RangeRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
