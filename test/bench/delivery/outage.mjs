import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ContenderProcess } from '../contender-process.mjs';
import { SETS } from './contenders.mjs';
import { startSink } from './sink-process.mjs';

const CONTENDER = fileURLToPath(new URL('outage-contender.mjs', import.meta.url));
/** What a second brings is on its way: batches may wait for so long to fill up. */
const ON_ITS_WAY = 2_500;
const BEFORE_MS = 2_000;
const AWAY_MS = 5_000;
const AFTER_MS = 4_000;
/** What has not arrived by then is lost. */
const END_MS = 10_000;
const LOOK_MS = 20;

/** An outage of 5 s under 2,500 events a second, one contender after the other: what is lost, and what it costs. */
export async function outages(set) {
  const results = [];
  for (const [name] of SETS[set]) {
    results.push({ name, ...(await outage(set, name)) });
  }
  return results;
}

async function outage(set, name) {
  const sink = await startSink();
  const contender = new ContenderProcess(CONTENDER, [set, name, sink.url]);
  try {
    await sink.ask({ numbered: true });
    await contender.ask('start');
    await sleep(BEFORE_MS);
    await sink.ask({ away: true });
    await sleep(AWAY_MS);
    await sink.ask({ away: false });
    const back = performance.now();
    let caughtUpMs;
    while (performance.now() - back < AFTER_MS) {
      await sleep(LOOK_MS);
      const [emitted, { unique }] = await Promise.all([contender.ask('emitted'), sink.ask()]);
      if (caughtUpMs === undefined && emitted - unique <= ON_ITS_WAY) {
        caughtUpMs = performance.now() - back;
      }
    }
    const facts = await contender.ask('stop');
    let got = await sink.ask();
    for (let ms = 0; ms < END_MS && got.unique < facts.emitted; ms += LOOK_MS) {
      await sleep(LOOK_MS);
      got = await sink.ask();
    }
    return {
      ...facts,
      lost: facts.emitted - got.unique,
      twice: got.events - got.unique,
      caughtUpMs,
    };
  } catch (error) {
    return { error: error.message };
  } finally {
    contender.end();
    sink.stop();
  }
}
