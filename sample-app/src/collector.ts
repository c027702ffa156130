/**
 * Stands in for the server that wants the events: `node sample-app/dist/collector.js`, in a process of its own. It keeps
 * each event in a file named after the event's id, so that one which is delivered twice is kept once.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { TrackingEvent } from 'nestjs-tracking';
import { Settings } from './settings.js';

const { dataDir, collectorUrl = 'http://127.0.0.1:3001' } = new Settings();
const folder = join(dataDir, 'collected');
mkdirSync(folder, { recursive: true });

createServer((request, response) => {
  json(request)
    .then((batch) => {
      for (const event of batch as TrackingEvent[]) {
        writeFileSync(join(folder, `${encodeURIComponent(event.id)}.json`), JSON.stringify(event));
        console.log(event.name, event.id);
      }
      response.writeHead(204).end();
    })
    // A full disk, as a rule. The app keeps the batch and sends it again.
    .catch((error: unknown) => response.writeHead(503).end(String(error)));
}).listen(Number(new URL(collectorUrl).port), '127.0.0.1', () => {
  console.log(`Collecting at ${collectorUrl}, one file per event in ${folder}`);
});
