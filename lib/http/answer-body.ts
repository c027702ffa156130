import type { Dispatcher } from 'undici';
import type { Clock } from '../core/clock.js';

const MAX_BYTES = 64 * 1024;
/** So long a connection may be kept busy by an answer that nobody reads. */
const LET_GO_MS = 1_000;

type Body = Dispatcher.ResponseData['body'];

/** The beginning of an answer, at most 64 KiB, as text. */
export async function answerBody(body: Body): Promise<string> {
  const chunks: Buffer[] = [];
  let left = MAX_BYTES;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) {
      break;
    }
  }
  return Buffer.concat(chunks).toString();
}

/** Reads an answer to its end, so that its connection can be used again; one that does not end loses it. */
export function letGo(body: Body, clock: Clock): void {
  const timer = clock.setTimeout(() => {
    body.destroy();
  }, LET_GO_MS);
  body.on('error', () => undefined);
  const done = (): void => {
    clock.clearTimeout(timer);
  };
  body.dump({ limit: MAX_BYTES }).then(done, done);
}
