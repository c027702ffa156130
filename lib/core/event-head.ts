import type { JsonText } from './json.js';

/** Most names whose JSON is kept. */
const MAX_NAMES = 1_000;
const MAX_KEPT_NAME_LENGTH = 200;
const OPENING = '{"id":"';

/** Writes how an event's JSON begins, up to its payload. */
export class EventHeads {
  private readonly names = new Map<string, string>();
  /** What follows the id: the same for all events of a name in one millisecond. */
  private middle: JsonText = { text: '', bytes: 0 };
  private middleName = '';
  private middleTimestamp = '';

  /** @param isOurs whether the id was made here, and needs no escaping */
  head(id: string, isOurs: boolean, name: string, timestamp: string): JsonText {
    if (name !== this.middleName || timestamp !== this.middleTimestamp) {
      this.middle = sized(`","name":${this.nameJson(name)},"timestamp":"${timestamp}","data":`);
      this.middleName = name;
      this.middleTimestamp = timestamp;
    }
    const { text, bytes } = this.middle;
    const idText = isOurs ? id : JSON.stringify(id).slice(1, -1);
    const idBytes = isOurs ? id.length : Buffer.byteLength(idText);
    return {
      text: `${OPENING}${idText}${text}`,
      bytes: OPENING.length + idBytes + bytes,
    };
  }

  /** An app has few names, and emits each of them often. */
  private nameJson(name: string): string {
    let json = this.names.get(name);
    if (json === undefined) {
      json = JSON.stringify(name);
      if (this.names.size < MAX_NAMES && name.length <= MAX_KEPT_NAME_LENGTH) {
        this.names.set(name, json);
      }
    }
    return json;
  }
}

/** A piece of JSON with its size. */
export function sized(text: string): JsonText {
  return { text, bytes: Buffer.byteLength(text) };
}
