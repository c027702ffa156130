import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { readBatch } from './collected-event.js';
import type { CollectedEvents } from './collected-events.js';

/** Takes batches in the format `json`, and says which of their events are new. */
export function collectorServer(events: CollectedEvents, say: (line: string) => void): Server {
  return createServer((request, response) => {
    collect(request, events, say)
      .catch((error: unknown) => {
        // A full disk, as a rule. Whoever sent the batch keeps it, and sends it again.
        say(String(error));
        return 503;
      })
      .then((status) => response.writeHead(status).end())
      .catch(() => response.destroy());
  });
}

async function collect(
  request: IncomingMessage,
  events: CollectedEvents,
  say: (line: string) => void,
): Promise<number> {
  const batch = readBatch(await text(request));
  if (request.method !== 'POST' || batch === undefined) {
    return 400;
  }
  for (const { name, id } of events.add(batch)) {
    say(`${name} ${id}`);
  }
  return 204;
}
