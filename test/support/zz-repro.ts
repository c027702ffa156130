import { createTracker } from 'nestjs-tracking/core';
import { httpBackend } from 'nestjs-tracking/http';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
import { createServer } from 'node:http';
import { mkdtempSync } from 'node:fs';
const pause = (ms: number) => ms === 0 ? undefined : new Promise((r) => setTimeout(r, ms));
const server = createServer((q, s) => { q.resume(); s.writeHead(204).end(); }).listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + (server.address() as any).port;
  for (const wait of [0, 300, 3000]) for (const flush of [false, true]) for (const gap of [0, 1, 8, 30]) for (const first of [false,true]) {
    const backend = httpBackend({ url, backlog: lmdbBacklog({ path: mkdtempSync('/tmp/repro-') }), batch: { maxDelayMs: 500 } });
    const tracker = createTracker({ backends: { c: backend } });
    if (first) { tracker.emit('x', {}); }
    await pause(wait);
    tracker.emit('a', {});
    if (flush) void tracker.flush({timeoutMs: 6000});
    await pause(gap);
    const t = performance.now();
    const r = await tracker.close();
    console.log({wait, flush, gap, first}, r.settled, Math.round(performance.now() - t));
  }
  server.close();
});
