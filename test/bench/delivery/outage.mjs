import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { NAME, payload } from '../sample.mjs';
import { ours } from './contenders.mjs';

/** An outage of 5 s under 2,500 events a second: what is lost, how soon it is over, what it costs. */
const RATE = 2_500;
const TICK_MS = 10;
const BEFORE_MS = 2_000;
const AWAY_MS = 5_000;
const AFTER_MS = 3_000;

export async function outage() {
  const sink = fork(fileURLToPath(new URL('sink.mjs', import.meta.url)));
  const [{ port }] = await once(sink, 'message');
  const { tracker, stats, close } = ours(`http://127.0.0.1:${port}/in`, {});
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let emitted = 0;
  let maxRss = 0;
  const started = performance.now();
  const load = setInterval(() => {
    const due = ((performance.now() - started) / 1_000) * RATE;
    for (; emitted < due; emitted++) {
      payload.amount = emitted;
      tracker.emit(NAME, payload);
    }
    maxRss = Math.max(maxRss, process.memoryUsage.rss());
  }, TICK_MS);
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(BEFORE_MS);
  sink.send({ away: true });
  await wait(AWAY_MS);
  sink.send({ away: false });
  const back = performance.now();
  let caughtUpMs;
  while (performance.now() - back < AFTER_MS) {
    await wait(5);
    // What came in the last batch delay is still on its way.
    if (caughtUpMs === undefined && stats().depth < RATE) {
      caughtUpMs = performance.now() - back;
    }
  }
  clearInterval(load);
  delay.disable();
  await tracker.flush();
  const { delivered, dead } = stats();
  await close();
  sink.disconnect();
  return {
    ...{ emitted, delivered, dead },
    caughtUpMs: Math.round(caughtUpMs),
    maxRssMiB: Math.round(maxRss / 2 ** 20),
    longestStallMs: Math.round(delay.max / 1e6),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await outage());
}
