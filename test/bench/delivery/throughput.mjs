import { fileURLToPath } from 'node:url';
import { ContenderProcess } from '../contender-process.mjs';
import { median, spread } from '../statistics.mjs';
import { SETS } from './contenders.mjs';
import { startSink } from './sink-process.mjs';

const CONTENDER = fileURLToPath(new URL('contender.mjs', import.meta.url));

/**
 * Rounds of a set take turns; each is set in proportion to the same turn of the first one. A round counts only when the
 * sink has got every event once.
 */
export async function throughput(set, { rounds, delayMs = 0 }) {
  const sink = await startSink(delayMs);
  const contenders = SETS[set].map(([name, , events]) => ({
    ...{ name, events, results: [] },
    process: new ContenderProcess(CONTENDER, [set, name, sink.url]),
  }));
  for (let i = -1; i < rounds; i++) {
    for (const { name, events, results, process } of contenders) {
      await sink.ask({ clear: true });
      const result = await process.ask({ events });
      const got = await sink.ask();
      if (got.events !== events) {
        throw new Error(`${name} delivered ${got.events} of ${events}`);
      }
      if (i >= 0) {
        results.push(result);
      }
    }
  }
  for (const { process } of contenders) {
    await process.ask({});
    process.end();
  }
  sink.stop();
  const [first] = contenders;
  return contenders.map(({ name, results }) => {
    const times = (key) => results.map((result, i) => result[key] / first.results[i][key]);
    return {
      name,
      perSecond: median(results.map(({ perSecond }) => perSecond)),
      cpuUs: median(results.map(({ cpuUs }) => cpuUs)),
      speed: median(times('perSecond')),
      spread: spread(times('perSecond'), 3),
      cpu: median(times('cpuUs')),
    };
  });
}
