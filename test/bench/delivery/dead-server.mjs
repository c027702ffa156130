/*
 * 200,000 events against a server that refuses every connection: `node --expose-gc dead-server.mjs <name>`, in a process
 * of its own, writes one line of JSON.
 */
import { freePort } from '../../support/free-port.mjs';
import { inChunks } from './emitting.mjs';
import { openContender } from './open-contender.mjs';

const EVENTS = 200_000;

const { emit, inside, stats } = await openContender(
  'dead',
  process.argv[2],
  `http://127.0.0.1:${await freePort()}/in`,
);
const before = process.memoryUsage();
let maxRss = 0;
await inside(() =>
  inChunks(EVENTS, (i) => {
    emit(i);
    if (i % 1_000 === 0) {
      maxRss = Math.max(maxRss, process.memoryUsage.rss());
    }
  }),
);
globalThis.gc();
const after = process.memoryUsage();
const mib = (value) => Math.round(value / 2 ** 20);
const { accepted, delivered, dead, depth } = stats();
process.stdout.write(
  `${JSON.stringify({
    ...{ accepted, delivered, dead, depth },
    idleRssMiB: mib(before.rss),
    maxRssMiB: mib(maxRss),
    heapMiB: mib(after.heapUsed - before.heapUsed),
    buffersMiB: mib(after.external - before.external),
  })}\n`,
);
process.exit();
