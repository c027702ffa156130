/*
 * What it costs to deliver events, beside floors and the vendors' libraries: `node report.mjs [--quick]` prints the
 * tables. Each contender has a process of its own, the sink as well; their rounds take turns, and each is set in
 * proportion to the same turn of the first one.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { table } from '../statistics.mjs';
import { SETS } from './contenders.mjs';
import { outages } from './outage.mjs';
import { throughput } from './throughput.mjs';

const DEAD_SERVER = fileURLToPath(new URL('dead-server.mjs', import.meta.url));
const SLOW_MS = 20;
const OURS = '**';

/** @param quick fewer rounds */
export async function deliveryReport({ quick }) {
  const rounds = quick ? 3 : 11;
  const parts = [];
  for (const [set, title, reach, delayMs = 0] of [
    ['memory', 'Delivered', memoryReach],
    ['gzip', 'With gzip', () => ({ speed: 'at least 0.9' })],
    ['disk', 'From LMDB', () => ({ speed: 'at least 0.9' })],
    ['slow', `To a sink that answers after 20 ms`, slowReach, SLOW_MS],
  ]) {
    const results = await throughput(set, { rounds, delayMs });
    parts.push(title, throughputTable(results, reach(results)));
  }
  const outage = await outages('outage');
  if (!quick) {
    outage.push(...(await outages('outageTuned')));
  }
  parts.push(
    'An outage of 5 s under 2,500 events a second. Reach: 0 lost, 0 twice, caught up within 1,000 ms, below 120 MiB, no stall above 50 ms',
    outageTable(outage),
    '200,000 events against a dead server, with the bounds that memory has by default (100,000 events, 64 MiB)',
    deadServerTable(),
  );
  return parts.join('\n\n');
}

function memoryReach(results) {
  const ours = results.find(({ name }) => name.startsWith(OURS));
  const peers = results.slice(results.indexOf(ours) + 1);
  const best = Math.max(...peers.map(({ speed }) => speed));
  return {
    speed: `at least 0.95; ${(ours.speed / best).toFixed(2)} times the best peer, at least 3.5`,
    cpu: 'at most 1.1',
  };
}

function slowReach(results) {
  const ours = results.find(({ name }) => name.startsWith(OURS));
  return { speed: `${Math.round(ours.perSecond)} a second, at least 50,000` };
}

function throughputTable(results, reach) {
  return table(
    [
      '',
      'events a second',
      'times the first',
      'middle half',
      'reach',
      'CPU s per 100,000',
      'times the first',
      'reach',
    ],
    results.map(({ name, perSecond, speed, spread, cpuUs, cpu }) => {
      const own = name.startsWith(OURS) ? reach : {};
      return [
        name,
        Math.round(perSecond),
        speed.toFixed(2),
        spread,
        own.speed ?? '',
        (cpuUs / 10).toFixed(2),
        cpu.toFixed(2),
        own.cpu ?? '',
      ];
    }),
  );
}

function outageTable(results) {
  return table(
    [
      '',
      'emitted',
      'lost',
      'twice',
      'caught up after, ms',
      'RSS before, MiB',
      'largest RSS, MiB',
      'longest stall, ms',
    ],
    results.map(({ name, error, ...facts }) => [
      name,
      ...(error === undefined
        ? [
            ...[facts.emitted, facts.lost, facts.twice],
            facts.caughtUpMs === undefined ? 'not in 4 s' : Math.round(facts.caughtUpMs),
            ...[facts.idleRssMiB, facts.maxRssMiB, facts.longestStallMs],
          ]
        : [error, '', '', '', '', '', '']),
    ]),
  );
}

function deadServerTable() {
  const rows = SETS.dead.map(([name]) => {
    const line = execFileSync(process.execPath, ['--expose-gc', DEAD_SERVER, name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [name, ...Object.values(JSON.parse(line))];
  });
  return table(
    [
      '',
      'accepted',
      'delivered',
      'dead',
      'waiting',
      'RSS before, MiB',
      'largest RSS, MiB',
      'heap, MiB more',
      'buffers, MiB more',
    ],
    rows,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await deliveryReport({ quick: process.argv.includes('--quick') }));
}
