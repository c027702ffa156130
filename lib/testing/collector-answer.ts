import type { ServerResponse } from 'node:http';
import { realTime } from './real-time.js';

/** How a collector answers one request. */
export interface CollectorAnswer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text or bytes go as they are, anything else as JSON. Default: nothing. */
  readonly body?: unknown;
  /** Real milliseconds to wait before answering, or before `destroy`. Default: 0. */
  readonly delayMs?: number;
  /** Breaks the connection instead of answering. */
  readonly destroy?: boolean;
}

/** Answers, unless the connection is gone meanwhile. */
export async function sendAnswer(response: ServerResponse, answer: CollectorAnswer): Promise<void> {
  if (answer.delayMs !== undefined) {
    await delayed(response, answer.delayMs);
  }
  if (response.destroyed) {
    return;
  }
  if (answer.destroy === true) {
    response.destroy();
    return;
  }
  const { content, contentType } = contentOf(answer.body);
  response.writeHead(answer.status ?? 200, {
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...answer.headers,
  });
  response.end(content);
}

/** Waits, for no longer than the connection lives. */
function delayed(response: ServerResponse, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = realTime.setTimeout(resolve, delayMs);
    response.once('close', () => {
      realTime.clearTimeout(timer);
      resolve();
    });
  });
}

function contentOf(body: unknown): {
  content?: string | Uint8Array;
  contentType?: string;
} {
  if (body === undefined) {
    return {};
  }
  if (typeof body === 'string') {
    return { content: body };
  }
  return ArrayBuffer.isView(body)
    ? { content: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) }
    : { content: JSON.stringify(body), contentType: 'application/json' };
}
