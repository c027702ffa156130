import { CONTENDERS } from './contenders.mjs';
import { median } from '../statistics.mjs';

/*
 * Time per event is processor time of the whole process, flushing included, over rounds that take turns; every round
 * of a contender is set in proportion to the same round of the first one.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 40);
const WARM_UP = 8;
/** Some contenders' queues cost more the longer they are, so they are emptied as often as a server would. */
const BURST = 100;
const BURSTS = 20;
const EVENTS = BURST * BURSTS;

const contenders = [];
for (const [name, create] of Object.entries(CONTENDERS)) {
  contenders.push({ name, times: [], ...(await create()) });
}

async function round({ emit, flush, inside = (work) => work() }) {
  const before = process.cpuUsage();
  for (let burst = 0; burst < BURSTS; burst++) {
    inside(() => {
      for (let i = 0; i < BURST; i++) {
        emit(i);
      }
    });
    await flush?.();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / EVENTS;
}

/** Bytes on the heap and beside it. Only without a collection in between: see `--min-semi-space-size`. */
async function bytes(contender) {
  globalThis.gc();
  const before = process.memoryUsage();
  await round(contender);
  const after = process.memoryUsage();
  return (
    (after.heapUsed - before.heapUsed + after.external - before.external) /
    EVENTS
  );
}

if (process.argv.includes('--bytes')) {
  const result = {};
  for (const contender of contenders) {
    for (let i = 0; i < WARM_UP; i++) {
      await round(contender);
    }
    const samples = [];
    for (let i = 0; i < 9; i++) {
      samples.push(await bytes(contender));
    }
    result[contender.name] = Math.round(median(samples));
  }
  process.send(result);
  process.disconnect();
} else {
  for (let i = 0; i < WARM_UP + ROUNDS; i++) {
    for (const contender of contenders) {
      const time = await round(contender);
      if (i >= WARM_UP) {
        contender.times.push(time);
      }
    }
  }
  const [first] = contenders;
  process.send(
    contenders.map(({ name, times }) => {
      const ratios = times.map((time, i) => time / first.times[i]);
      return { name, us: median(times), ratio: median(ratios), ratios };
    }),
  );
  process.disconnect();
}
process.on('disconnect', () => process.exit());
