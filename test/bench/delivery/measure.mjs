import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as contenders from './contenders.mjs';
import { median } from '../statistics.mjs';

const [, , set, delayMs, events, rounds] = process.argv;
const EVENTS = Number(events);

const sink = fork(fileURLToPath(new URL('sink.mjs', import.meta.url)), [
  delayMs,
]);
const [{ port }] = await once(sink, 'message');
const url = `http://127.0.0.1:${port}/in`;

async function round({ run }) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await run(EVENTS);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (EVENTS / ms) * 1_000, cpuUs: (user + system) / EVENTS };
}

const made = Object.entries(contenders[set]).map(([name, create]) => ({
  ...{ name, results: [] },
  ...create(url),
}));
for (let i = -1; i < Number(rounds); i++) {
  for (const contender of made) {
    const result = await round(contender);
    if (i >= 0) {
      contender.results.push(result);
    }
  }
}
const [first] = made;
const ratios = (results, key) =>
  results.map((result, i) => result[key] / first.results[i][key]);
const answer = made.map(({ name, results }) => ({
  name,
  perSecond: median(results.map(({ perSecond }) => perSecond)),
  cpuUs: median(results.map(({ cpuUs }) => cpuUs)),
  speed: median(ratios(results, 'perSecond')),
  cpu: median(ratios(results, 'cpuUs')),
  ratios: ratios(results, 'perSecond'),
}));
for (const { close } of made) {
  await close();
}
process.send?.(answer);
sink.disconnect();
if (process.send === undefined) {
  console.table(answer.map(({ ratios: _, ...rest }) => rest));
} else {
  process.disconnect();
}
