/*
 * One contender of the emit benchmark in a process of its own: `node contender.mjs <name>`, asked over IPC.
 *
 * - `time`: microseconds of processor time (of all threads, the collector's and the compiler's too) per event in one
 *   round, flushing included.
 * - `bytes`: what one event allocates on the heap and beside it. Needs `--expose-gc` and a nursery so large that
 *   nothing is collected meanwhile.
 * - `check`: what it makes of one event, to see that all of them do the same work.
 */
import { answerQuestions } from '../contender-process.mjs';
import { median } from '../statistics.mjs';
import { CONTENDERS, lastSeen } from './contenders.mjs';

/** Some contenders' queues cost more the longer they are, so they are emptied as often as a server would. */
const BURST = 100;
const ROUND_MICROS = 15_000;
const WARM_UP_EVENTS = 20_000;
const BYTES_EVENTS = 2_000;
const BYTES_ROUNDS = 9;

const [, , name, mode] = process.argv;
const contender = await CONTENDERS[name](mode === 'checking');
let bursts = WARM_UP_EVENTS / BURST;

async function round() {
  const { emit, flush, inside = (work) => work() } = contender;
  for (let burst = 0; burst < bursts; burst++) {
    inside(() => {
      for (let i = 0; i < BURST; i++) {
        emit(i);
      }
    });
    await flush?.();
  }
}

async function time() {
  const before = process.cpuUsage();
  await round();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (bursts * BURST);
}

async function warmUp() {
  await round();
  const micros = await time();
  bursts = Math.max(5, Math.round(ROUND_MICROS / (micros * BURST)));
  await round();
}

async function bytes() {
  bursts = BYTES_EVENTS / BURST;
  const samples = [];
  for (let i = 0; i < BYTES_ROUNDS; i++) {
    globalThis.gc();
    const before = process.memoryUsage();
    await round();
    const after = process.memoryUsage();
    const allocated = after.heapUsed - before.heapUsed + after.external - before.external;
    samples.push(allocated / BYTES_EVENTS);
  }
  return Math.round(median(samples));
}

async function check() {
  const { emit, flush, inside = (work) => work() } = contender;
  inside(() => emit(1));
  await flush?.();
  return lastSeen();
}

answerQuestions(async (question) => {
  switch (question) {
    case 'warm up':
      await warmUp();
      return 'warm';
    case 'time':
      return time();
    case 'bytes':
      return bytes();
    case 'check':
      return check();
    default:
      throw new Error(`unknown question ${question}`);
  }
});
