/*
 * One contender under a steady load, in a process of its own: `node outage-contender.mjs <set> <name> <url>`. Asked to
 * `start`, it emits until it is asked to `stop`; then it has some time to deliver the rest, and answers what the load
 * did to the process.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { answerQuestions } from '../contender-process.mjs';
import { openContender } from './open-contender.mjs';

/** Events a second. */
export const RATE = 2_500;
const TICK_MS = 10;
const FLUSH_MS = 10_000;

const rssMiB = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
const [, , set, name, url] = process.argv;
const { emit, flush, inside } = await openContender(set, name, url);
const delay = monitorEventLoopDelay({ resolution: 5 });
const facts = { emitted: 0, idleRssMiB: rssMiB(), maxRssMiB: 0 };
let load;

function start() {
  const started = performance.now();
  load = setInterval(() => {
    const due = ((performance.now() - started) / 1_000) * RATE;
    for (; facts.emitted < due; facts.emitted++) {
      emit(facts.emitted);
    }
    facts.maxRssMiB = Math.max(facts.maxRssMiB, rssMiB());
  }, TICK_MS);
}

async function stop() {
  clearInterval(load);
  delay.disable();
  const late = new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
  await Promise.race([Promise.resolve(flush()).catch(() => undefined), late]);
  return { ...facts, longestStallMs: Math.round(delay.max / 1e6) };
}

answerQuestions(async (question) => {
  switch (question) {
    case 'start':
      inside(start);
      delay.enable();
      return 'started';
    case 'emitted':
      return facts.emitted;
    default:
      return stop();
  }
});
