/*
 * What it costs to accept events into a backlog while the destination is down: everything that `emit` and the writing of
 * its events do, until they are stored, beside JSON.stringify of the event, an array, and LMDB by hand. All in one run,
 * in turns; shown are medians over the rounds, and medians of the ratios to JSON.stringify of the same round. Then what
 * 1,000,000 events on disk take of the memory of the next process.
 *
 * `node test/bench/lmdb/report.mjs [--quick]` prints the tables.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { createTracker } from '../../../dist/core.js';
import { httpBackend, memoryBacklog } from '../../../dist/http.js';
import { lmdbBacklog } from '../../../dist/lmdb.js';
import { context, event, NAME, payload, requestFrame, userFrame } from '../sample.mjs';
import { median, spread, table } from '../statistics.mjs';

const PER_TURN = 100;
const IN_FLIGHT = 64;
const WAITING = 1_000_000;
const NOBODY = 'http://127.0.0.1:9/';

/** All events of a round are in one scope. */
const shared = context(0);

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function inTurns(events, work, perTurn = PER_TURN) {
  let last;
  for (let i = 0; i < events; i++) {
    last = work(i);
    if (i % perTurn === perTurn - 1) {
      await turn();
    }
  }
  return last;
}

function inFlight(events, work) {
  let i = 0;
  return Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (i < events) {
        await work(i++);
      }
    }),
  );
}

function stringify() {
  let bytes = 0;
  return {
    run: (events) =>
      inTurns(events, (i) => {
        bytes += JSON.stringify(event(i, shared)).length;
      }),
    close: () => bytes,
  };
}

/** What anybody would do who keeps events in memory. */
function kept() {
  const texts = [];
  return {
    run: (events) =>
      inTurns(events, (i) => {
        texts.push(JSON.stringify(event(i, shared)));
      }),
    close: () => texts.length,
  };
}

function byHand(folder, perValue, drive) {
  const db = open({
    ...{ path: path.join(folder, 'floor.mdb'), encoding: 'binary' },
    ...{ noSync: true, overlappingSync: false },
  });
  let n = 0;
  let parts = [];
  let stored;
  const put = () => {
    stored = db.put(n++, Buffer.from(parts.join('\n')));
    parts = [];
    return stored;
  };
  return {
    run: async (events) => {
      await drive(events, (i) => {
        parts.push(JSON.stringify(event(i, shared)));
        return parts.length === perValue ? put() : stored;
      });
      await stored;
    },
    close: () => db.close(),
  };
}

function ours(backlog, drive) {
  const tracker = createTracker({
    backends: {
      http: httpBackend({
        url: NOBODY,
        backlog,
        retry: { baseMs: 30_000 },
      }),
    },
    onError: () => {},
  });
  return {
    run: (events) =>
      tracker.context('request', requestFrame(0), () =>
        tracker.context('user', userFrame(0), async () => {
          await drive(events, (i) =>
            drive === inFlight ? tracker.emitAsync(NAME, payload(i)) : tracker.emit(NAME, payload(i)),
          );
          await tracker.emitAsync(NAME, payload(events));
        }),
      ),
    close: () => tracker.close({ timeoutMs: 1_000 }),
  };
}

const inMemory = () => memoryBacklog({ maxEvents: WAITING });
const onDisk = (path, durability) => lmdbBacklog({ path, durability });

const CONTENDERS = {
  'JSON.stringify': [stringify, 50_000],
  '…, kept in an array': [kept, 50_000],
  '`emit` into memoryBacklog': [() => ours(inMemory(), inTurns), 50_000],
  '`emitAsync` into memoryBacklog, 64 in flight': [() => ours(inMemory(), inFlight), 50_000],
  'LMDB by hand, a key an event': [(f) => byHand(f, 1, inTurns), 50_000],
  'LMDB by hand, 100 events a key': [(f) => byHand(f, 100, inTurns), 50_000],
  '`emit` into lmdbBacklog': [(f) => ours(onDisk(f, 'process'), inTurns), 50_000],
  'LMDB by hand, 64 in flight': [(f) => byHand(f, 1, inFlight), 50_000],
  '`emitAsync` into lmdbBacklog, 64 in flight, process': [
    (f) => ours(onDisk(f, 'process'), inFlight),
    50_000,
  ],
  '`emitAsync` into lmdbBacklog, 64 in flight, power': [(f) => ours(onDisk(f, 'power'), inFlight), 5_000],
};

async function measure([make, events]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-lmdb-'));
  const contender = make(folder);
  try {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await contender.run(events);
    const us = ((performance.now() - startedAt) / events) * 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { us, cpuUs: (user + system) / events };
  } finally {
    await contender.close();
    rmSync(folder, { recursive: true });
  }
}

/** @param quick fewer rounds */
export async function lmdbReport({ quick }) {
  // The timers of a tracker keep no process alive, also not while it closes.
  const alive = setInterval(() => {}, 1_000);
  const names = Object.keys(CONTENDERS);
  const results = new Map(names.map((name) => [name, []]));
  for (let round = -1; round < (quick ? 3 : 11); round++) {
    for (const name of names) {
      const result = await measure(CONTENDERS[name]);
      if (round >= 0) {
        results.get(name).push(result);
      }
    }
  }
  clearInterval(alive);
  const floor = results.get('JSON.stringify');
  const rows = names.map((name) => {
    const some = results.get(name);
    const ratios = some.map(({ us }, i) => us / floor[i].us);
    return [
      name,
      median(some.map(({ us }) => us)).toFixed(2),
      median(some.map(({ cpuUs }) => cpuUs)).toFixed(2),
      `**${median(ratios).toFixed(2)}** (${spread(ratios)})`,
    ];
  });
  return [table(['accepting', 'µs an event', 'processor µs', 'to JSON.stringify'], rows), waiting()].join(
    '\n\n',
  );
}

/** A process stores a great many events and is killed; the next one finds them. */
function waiting() {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-lmdb-'));
  const script = fileURLToPath(new URL('../../support/lmdb-backlog-size.ts', import.meta.url));
  const hooks = new URL('../../support/typescript-hooks.mjs', import.meta.url);
  const run = (mode) =>
    spawnSync(process.execPath, ['--import', hooks.href, script, mode, folder, String(WAITING)], {
      encoding: 'utf8',
    }).stdout;
  try {
    run('fill');
    const { rssAnonMiB, stallMs, openMs } = JSON.parse(run('find'));
    return table(
      ['1,000,000 events on disk', 'RssAnon, MiB', 'boot, ms', 'longest stall, ms'],
      [['the next process', rssAnonMiB, openMs, stallMs]],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await lmdbReport({ quick: process.argv.includes('--quick') }));
}
