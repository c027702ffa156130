/*
 * A process with an lmdbBacklog, at the commands of a test: `append n`, `lease n`, `settle delivered|rejected`, `run`.
 * Answers each with one message. What `run` does stands in files, written before anything else happens:
 * `accepted`, `sent`, `settled`, one id a line.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { TrackingEvent } from '../../lib/core/event.js';
import { storedEvent } from '../../lib/core/event.js';
import { systemClock } from '../../lib/core/system-clock.js';
import type { Lease } from '../../lib/delivery/backlog.js';
import { steadyTime } from '../../lib/delivery/steady-time.js';
import { lmdbBacklog } from '../../lib/lmdb.js';

const BATCH = 20;
const LANES = 3;

const [path = '', log = '', durability] = process.argv.slice(2);
const clock = systemClock();
const backlog = lmdbBacklog({
  path,
  durability: durability === 'power' ? 'power' : 'process',
});
let number = 0;
let lease: Lease | undefined;
let running = true;

backlog.open({
  ...{ tracker: 'test', path: 'out', clock, time: steadyTime(clock) },
  ...{ batch: { maxEvents: BATCH, maxBytes: 1_000_000 }, blockTimeoutMs: 100 },
  report: ({ code, message }) => {
    process.stderr.write(`${code}: ${message}\n`);
  },
  lost: () => undefined,
});

function events(count: number): TrackingEvent[] {
  return Array.from({ length: count }, () => {
    const id = `${process.pid}-${number++}`;
    return storedEvent(
      `{"id":"${id}","name":"n","timestamp":"2026-01-01T00:00:00.000Z","data":{"text":"${'x'.repeat(200)}"},"context":{}}`,
    );
  });
}

function note(file: string, some: readonly { readonly id: string }[]): void {
  appendFileSync(join(log, file), some.map(({ id }) => `${id}\n`).join(''));
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function accept(): Promise<void> {
  while (running) {
    const some = events(1 + (number % 7));
    await backlog.append(some);
    note('accepted', some);
    await turn();
  }
}

async function deliver(): Promise<void> {
  while (running) {
    const some = await backlog.lease({
      ...{ maxEvents: BATCH, maxBytes: 1_000_000, maxDelayMs: 0 },
    });
    if (some !== undefined) {
      note(
        'sent',
        some.events.map(({ event }) => event),
      );
      await turn();
      await some.settle([{ events: some.events, outcome: 'delivered' }]);
      note(
        'settled',
        some.events.map(({ event }) => event),
      );
    }
    await turn();
  }
}

async function obey(command: string, argument: string): Promise<unknown> {
  switch (command) {
    case 'append': {
      const some = events(Number(argument));
      await backlog.append(some);
      return some.map(({ id }) => id);
    }
    case 'lease':
      lease = await backlog.lease({
        maxEvents: Number(argument),
        ...{ maxBytes: 1_000_000, maxDelayMs: 0 },
      });
      return lease?.events.map(({ event }) => event.id) ?? [];
    case 'settle':
      await lease?.settle([
        {
          events: lease.events,
          outcome: argument === 'delivered' ? 'delivered' : { reason: 'rejected' },
        },
      ]);
      return backlog.stats();
    case 'run':
      for (const work of [accept, ...Array<typeof deliver>(LANES).fill(deliver)]) {
        void work();
      }
      return 'running';
    default:
      running = false;
      await backlog.close();
      process.disconnect();
      return undefined;
  }
}

process.on('message', (message: string) => {
  const [command = '', argument = ''] = message.split(' ');
  void obey(command, argument)
    .catch((error: unknown) => ({ error: (error as Error).message }))
    .then((answer) => {
      if (process.connected) {
        process.send?.(answer);
      }
    });
});
process.send?.('ready');
