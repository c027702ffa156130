/*
 * `fill path count`: a process that stores events and is killed. `find path`: the next one; it writes
 * `{ found, rssAnonMiB, stallMs, openMs }` as one line.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { storedEvent } from '../../lib/core/event.js';
import { systemClock } from '../../lib/core/system-clock.js';
import { steadyTime } from '../../lib/delivery/steady-time.js';
import { lmdbBacklog } from '../../lib/lmdb.js';

const PER_CALL = 500;
const [mode, path = '', count = '0'] = process.argv.slice(2);
const clock = systemClock();
const backlog = lmdbBacklog({ path });
const startedAt = performance.now();
backlog.open({
  ...{ tracker: 'test', path: 'out', clock, time: steadyTime(clock) },
  ...{ batch: { maxEvents: 500, maxBytes: 1_000_000 }, blockTimeoutMs: 100 },
  report: (report) => {
    process.stderr.write(`${report.message}\n`);
  },
  lost: () => undefined,
});
const openMs = performance.now() - startedAt;

if (mode === 'fill') {
  for (let stored = 0; stored < Number(count); stored += PER_CALL) {
    await backlog.append(
      Array.from({ length: PER_CALL }, (_, i) =>
        storedEvent(
          `{"id":"${stored + i}","name":"n","timestamp":"2026-01-01T00:00:00.000Z","data":{"text":"${'x'.repeat(520)}"},"context":{}}`,
        ),
      ),
    );
  }
  process.kill(process.pid, 'SIGKILL');
}

let last = performance.now();
let stallMs = 0;
setInterval(() => {
  const now = performance.now();
  stallMs = Math.max(stallMs, now - last - 5);
  last = now;
}, 5).unref();
while (backlog.stats().depth < Number(count)) {
  await sleep(20);
}
const rss = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
process.stdout.write(
  `${JSON.stringify({
    found: backlog.stats().depth,
    rssAnonMiB: Math.round(Number(rss?.[1]) / 1024),
    stallMs: Math.round(stallMs),
    openMs: Math.round(openMs),
  })}\n`,
);
await backlog.close();
