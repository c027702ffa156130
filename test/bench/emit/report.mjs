/*
 * What it costs to record one event of about 640 bytes, beside floors and peers.
 *
 * Time is processor time of a contender's whole process, flushing included. Each contender has a process of its own;
 * their rounds take turns, and each is set in proportion to the same turn of the first one, `JSON.stringify` of the
 * whole event: the median of those ratios is shown, with their middle half. No network: a transport is a function that
 * is handed the finished body.
 */
import { fileURLToPath } from 'node:url';
import { ContenderProcess } from '../contender-process.mjs';
import { median, spread, table } from '../statistics.mjs';
import { context, event, payload } from '../sample.mjs';
import { CONTENDERS } from './contenders.mjs';

const CONTENDER = fileURLToPath(new URL('contender.mjs', import.meta.url));
const NO_COLLECTION = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

/** @param quick fewer rounds */
export async function emitReport({ quick }) {
  const names = Object.keys(CONTENDERS);
  await checkWork(names);
  const times = await measureTimes(names, quick ? 15 : 60);
  const bytes = await measureBytes(names);
  const [first] = names;
  return table(
    ['per event', 'times JSON.stringify', 'middle half', 'µs', 'bytes allocated'],
    names.map((name) => {
      const ratios = times[name].map((time, i) => time / times[first][i]);
      return [name, median(ratios).toFixed(2), spread(ratios), median(times[name]).toFixed(2), bytes[name]];
    }),
  );
}

/** @throws when a contender leaves out a part of the event, or ours says anything but what `JSON.stringify` says */
async function checkWork(names) {
  const leaves = leavesOf({ payload: { ...payload, amount: 1 }, context });
  for (const name of names) {
    const contender = new ContenderProcess(CONTENDER, [name, 'checking']);
    const seen = await contender.ask('check');
    contender.end();
    const missing = leaves.filter((leaf) => !seen.includes(leaf));
    if (missing.length > 0) {
      throw new Error(`${name} left out ${missing.join(', ')}`);
    }
    if (name.includes('**emit**') && !isSameEvent(seen)) {
      throw new Error(`${name} emitted another event: ${seen}`);
    }
  }
}

function leavesOf(value) {
  return typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : [JSON.stringify(value)];
}

function isSameEvent(json) {
  const made = JSON.parse(json);
  const expected = {
    ...event,
    id: made.id,
    timestamp: made.timestamp,
    data: { ...payload, amount: 1 },
  };
  return json === JSON.stringify(expected);
}

async function measureTimes(names, rounds) {
  const processes = names.map((name) => new ContenderProcess(CONTENDER, [name]));
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (const contender of processes) {
    await contender.ask('warm up');
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of processes.entries()) {
      times[names[i]].push(await contender.ask('time'));
    }
  }
  for (const contender of processes) {
    contender.end();
  }
  return times;
}

async function measureBytes(names) {
  const bytes = {};
  for (const name of names) {
    const contender = new ContenderProcess(CONTENDER, [name], NO_COLLECTION);
    await contender.ask('warm up');
    bytes[name] = await contender.ask('bytes');
    contender.end();
  }
  return bytes;
}
