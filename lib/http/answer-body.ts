import type { Dispatcher } from 'undici';
import type { Clock } from '../core/clock.js';

const MAX_BYTES = 64 * 1024;
/** So long an answer that has said enough may take to end. */
const PATIENCE_MS = 1_000;

type Body = Dispatcher.ResponseData['body'];

/** The beginning of an answer, at most 64 KiB, as text. */
export async function answerBody(body: Body): Promise<string> {
  const chunks: Buffer[] = [];
  await readInto(chunks, body);
  return Buffer.concat(chunks).toString();
}

/** The same of an answer whose status says enough: what can be read of it, though it is cut off or does not end. */
export async function readableBody(body: Body, clock: Clock): Promise<string> {
  const chunks: Buffer[] = [];
  const stop = destroyLater(body, clock);
  try {
    await readInto(chunks, body);
  } catch {
    // The status stands.
  }
  stop();
  return Buffer.concat(chunks).toString();
}

/** Reads an answer to its end, so that its connection can be used again; one that does not end loses it. */
export function letGo(body: Body, clock: Clock): void {
  const stop = destroyLater(body, clock);
  body.on('error', () => undefined);
  body.dump({ limit: MAX_BYTES }).then(stop, stop);
}

async function readInto(chunks: Buffer[], body: Body): Promise<void> {
  let left = MAX_BYTES;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) {
      break;
    }
  }
}

function destroyLater(body: Body, clock: Clock): () => void {
  const timer = clock.setTimeout(() => {
    body.destroy();
  }, PATIENCE_MS);
  return () => {
    clock.clearTimeout(timer);
  };
}
