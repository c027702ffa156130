import type { OutgoingHttpHeaders } from 'node:http';
import { ServerResponse } from 'node:http';
import { types } from 'node:util';

type HeadArguments = Parameters<ServerResponse['writeHead']>;
type Request = ConstructorParameters<typeof ServerResponse>[0];

/** Headers of the body, of its caching, of where it sent the client: they go with the answer that was not given. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-language',
  'content-location',
  'content-range',
  'content-md5',
  'digest',
  'repr-digest',
  'content-digest',
  'accept-ranges',
  'cache-control',
  'expires',
  'age',
  'etag',
  'last-modified',
  'location',
  'refresh',
  'set-cookie',
  'trailer',
  'transfer-encoding',
]);

/**
 * Writes a head on a response that goes nowhere.
 *
 * @param sent whether one was written before
 * @throws what Node throws for it
 */
export function rehearseHead(request: Request, args: readonly unknown[], sent: boolean): void {
  const stage = new ServerResponse(request);
  if (sent) {
    stage.writeHead(200);
  }
  stage.writeHead(...(args as HeadArguments));
}

/** @throws what Node throws for something that is no body, or none yet */
export function rehearseBody(request: Request, name: 'write' | 'end', chunk: unknown): void {
  const isBody = typeof chunk === 'string' || types.isUint8Array(chunk);
  const isNone = name === 'end' && (typeof chunk === 'function' || !chunk);
  if (!isBody && !isNone) {
    new ServerResponse(request).write(chunk);
  }
}

/** What another answer takes over of the headers of one that was not given: those set, and those of its head. */
export function headersToKeep(response: ServerResponse, head: readonly unknown[]): OutgoingHttpHeaders {
  const stage = new ServerResponse(response.req);
  // Node keeps the headers of a head apart only where there are others.
  stage.setHeader('content-length', 0);
  for (const [name, value] of Object.entries(response.getHeaders())) {
    stage.setHeader(name, value as string);
  }
  if (head.length > 0) {
    try {
      stage.writeHead(...(head as HeadArguments));
    } catch {
      // Trailers without chunks: about the body as well.
    }
  }
  return Object.fromEntries(Object.entries(stage.getHeaders()).filter(([name]) => !OF_THE_BODY.has(name)));
}
