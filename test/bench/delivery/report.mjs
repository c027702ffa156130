import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spread, table } from '../statistics.mjs';
import { outage } from './outage.mjs';

const MEASURE = fileURLToPath(new URL('measure.mjs', import.meta.url));
const ROUNDS = 15;
const QUICK_ROUNDS = 5;
const EVENTS = 50_000;

/** What is measured: the contenders, and after how long the sink answers. */
const SETS = [
  ['CONTENDERS', 'to a sink in another process', '0'],
  ['ZIPPED', 'with gzip', '0'],
  ['SLOW', 'to a sink that answers after 20 ms', '20'],
];

async function answerOf(args) {
  const [answer] = await once(fork(MEASURE, args), 'message');
  return answer;
}

/** Markdown: delivered events a second and processor time of each, beside a hand-written loop; and an outage. */
export async function deliveryReport({ quick }) {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const parts = [];
  for (const [set, title, delayMs] of SETS) {
    const answer = await answerOf([
      set,
      delayMs,
      String(EVENTS),
      String(rounds),
    ]);
    parts.push(
      `Delivered ${title}`,
      table(
        ['', 'events a second', 'times', 'middle half', 'CPU µs', 'times'],
        answer.map(({ name, perSecond, speed, ratios, cpuUs, cpu }) => [
          name,
          Math.round(perSecond),
          speed.toFixed(2),
          spread(ratios),
          cpuUs.toFixed(2),
          cpu.toFixed(2),
        ]),
      ),
    );
  }
  const result = await outage();
  parts.push(
    'An outage of 5 s under 2,500 events a second',
    table(Object.keys(result), [Object.values(result)]),
  );
  return parts.join('\n\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(
    await deliveryReport({ quick: process.argv.includes('--quick') }),
  );
}
