/*
 * What a request to a Nest app costs the server, beside an app that does nothing but answer.
 *
 * Each contender is a server process of its own; the load comes from this one, over eight connections that stay open.
 * Counted is the server's processor time (all threads), the sending of its events included. Rounds take turns, each set
 * in proportion to the same turn of the bare controller: the median of those ratios is shown, with their middle half.
 */
import { fileURLToPath } from 'node:url';
import { ContenderProcess } from '../contender-process.mjs';
import { median, spread, table } from '../statistics.mjs';
import { CONTENDERS, DELIVERING } from './contenders.mjs';
import { Load } from './load.mjs';
import { Sink } from './sink.mjs';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
const ADAPTERS = ['Express', 'Fastify'];
const WARM_UP_REQUESTS = 4_000;
const ROUND_REQUESTS = 250;

/** @param quick fewer rounds */
export async function requestsReport({ quick }) {
  const names = Object.keys(CONTENDERS);
  const columns = [];
  for (const adapter of ADAPTERS) {
    columns.push(await measure(names, adapter, quick ? 16 : 80));
  }
  return table(
    ['server processor time per request', ...ADAPTERS.flatMap((adapter) => [`${adapter}, times bare`, 'µs'])],
    names.map((name) => [
      name,
      ...columns.flatMap((times) => {
        const ratios = times[name].map((time, i) => time / times[names[0]][i]);
        return [`${median(ratios).toFixed(2)} (${spread(ratios)})`, median(times[name]).toFixed(0)];
      }),
    ]),
  );
}

async function measure(names, adapter, rounds) {
  const sink = new Sink();
  const sinkUrl = await sink.listen();
  const servers = [];
  for (const name of names) {
    const process = new ContenderProcess(SERVER, [name, adapter, sinkUrl]);
    const load = await Load.to(await process.ask('listen'));
    await warmUp({ name, process, load, sink });
    servers.push({ name, process, load });
  }
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, process, load } of servers) {
      const before = await process.ask('cpu');
      await load.run(ROUND_REQUESTS);
      times[name].push(((await process.ask('cpu')) - before) / ROUND_REQUESTS);
    }
  }
  for (const { process, load } of servers) {
    load.end();
    process.end();
  }
  sink.close();
  return times;
}

/** @throws when a contender does not deliver what it is measured with */
async function warmUp({ name, process, load, sink }) {
  const before = sink.events;
  await load.run(WARM_UP_REQUESTS);
  await process.ask('cpu');
  const delivered = (sink.events - before) / WARM_UP_REQUESTS;
  if (delivered !== (DELIVERING.has(CONTENDERS[name]) ? 1 : 0)) {
    throw new Error(`${name} delivered ${delivered} events per request`);
  }
}
