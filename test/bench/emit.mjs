/*
 * What it costs to record one event, beside floors and the vendors' libraries: `npm run bench -- emit`.
 *
 * Each subject has a process of its own (this file, run with the subject's name), so that none pays for another's garbage
 * or for what another taught the compiler; their rounds take turns, and the processes are replaced a few times, as the
 * compiler does not decide the same each time. The speed of a machine drifts by the second: in a round the subject takes
 * turns with `JSON.stringify` of the whole event in the same process, and the ratio is to that. Shown are medians of
 * those ratios. No network: a transport is a function that is given the finished body.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createTracker } from '../../dist/core.js';
import { httpBackend, memoryBacklog } from '../../dist/http.js';
import { answerQuestions, ContenderProcess } from './contender-process.mjs';
import * as peers from './peers.mjs';
import { context, event, NAME, payload, requestFrame, userFrame } from './sample.mjs';
import { median, spread, table } from './statistics.mjs';

const FILE = fileURLToPath(import.meta.url);
const { node } = process.versions;
/** The events of one scope, after which the event loop turns and transports get what waits. */
const BURST = 100;
const WARM_UP_BURSTS = 200;
/** A round: so many times, so many bursts of the floor and then of the subject. */
const TURNS = 10;
const TURN_BURSTS = 10;
const EVENTS = TURNS * TURN_BURSTS * BURST;
/** The number of the event that is checked. */
const CHECKED = 1;

const inNoScope = (_n, work) => work();

/** The compiler may not leave out work whose result is kept; and it is what a check looks at. */
let seen = '';
const look = (value) => {
  seen = value;
};

/*
 * A subject is `{ emit(n), inside?(n, work), flush?() }`: `emit` records event number `n`, `inside` does a burst of work
 * in the scope of event number `n`, `flush` does what was left for later. `checking` is set when somebody wants to see
 * what a subject makes of an event, in place of how fast it does it.
 */

function stringify() {
  let its;
  return {
    emit: (n) => look(JSON.stringify(event(n, its))),
    inside: (n, work) => {
      its = context(n);
      work();
    },
  };
}

const hand = { ms: 0, iso: '', stamp: '', hex: '', at: 0 };

/** What an event needs at least: a UUIDv7, the time, the JSON of its payload and that of its context. */
function line(n, contextJson) {
  const now = Date.now();
  if (now !== hand.ms) {
    const time = now.toString(16).padStart(12, '0');
    hand.ms = now;
    hand.iso = new Date(now).toISOString();
    hand.stamp = `${time.slice(0, 8)}-${time.slice(8)}`;
  }
  // randomUUID() alone takes a seventh of JSON.stringify(event).
  if (hand.at === hand.hex.length) {
    hand.hex = randomBytes(18 * 512).toString('hex');
    hand.at = 0;
  }
  const { iso, stamp, hex, at } = hand;
  hand.at += 18;
  const id = `${stamp}-7${hex.slice(at, at + 3)}-a${hex.slice(at + 3, at + 6)}-${hex.slice(at + 6, at + 18)}`;
  const head = `{"id":"${id}","name":"${NAME}","timestamp":"${iso}"`;
  return `${head},"data":${JSON.stringify(payload(n))},"context":${contextJson}}`;
}

function assembledInScope() {
  let json;
  return {
    emit: (n) => look(line(n, json)),
    inside: (n, work) => {
      json = JSON.stringify(context(n));
      work();
    },
  };
}

function assembledAnew() {
  const merged = (n) =>
    `${JSON.stringify(requestFrame(n)).slice(0, -1)},${JSON.stringify(userFrame(n)).slice(1)}`;
  return { emit: (n) => look(line(n, merged(n))) };
}

function clone() {
  let its;
  return {
    emit: (n) => {
      look(structuredClone(event(n, its)));
    },
    inside: (n, work) => {
      its = context(n);
      work();
    },
  };
}

function tracker(backends) {
  return createTracker({
    backends,
    onError: ({ code, message }) => {
      console.error(code, message);
      process.exit(1);
    },
  });
}

const noop = (checking) => ({ send: checking ? (its) => look(JSON.stringify(its)) : () => undefined });

function inScope(backends) {
  const ours = tracker(backends);
  return {
    emit: (n) => ours.emit(NAME, payload(n)),
    inside: (n, work) =>
      ours.context('request', requestFrame(n), () => ours.context('user', userFrame(n), work)),
  };
}

function anew(checking) {
  const ours = tracker({ only: noop(checking) });
  return {
    emit: (n) =>
      ours.context('request', requestFrame(n), () =>
        ours.context('user', userFrame(n), () => ours.emit(NAME, payload(n))),
      ),
  };
}

/** Its events wait: for more than a process of this bench records, and longer than it lives. */
function held() {
  const backlog = memoryBacklog({ maxEvents: 2_000_000, maxBytes: 2 ** 31 });
  const batch = { maxEvents: 10_000_000, maxBytes: 2 ** 32, maxDelayMs: 600_000 };
  return inScope({ warehouse: httpBackend({ url: 'http://127.0.0.1:9/', backlog, batch }) });
}

async function pino(checking) {
  const { default: create } = await import('pino');
  const logger = create(
    {},
    checking ? { write: look } : create.destination({ dest: '/dev/null', sync: false }),
  );
  let child;
  return {
    emit: (n) => child.info({ id: randomUUID(), data: payload(n) }, NAME),
    inside: (n, work) => {
      child = logger.child(context(n));
      work();
    },
  };
}

async function openTelemetry() {
  const { JsonLogsSerializer } = await import('@opentelemetry/otlp-transformer');
  const exporter = {
    export: (records, done) => {
      look(JsonLogsSerializer.serializeRequest(records));
      done({ code: 0 });
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  return peers.openTelemetry(exporter, { maxQueueSize: 4_096, maxExportBatchSize: 512 });
}

const LATE = { flushAt: BURST, flushInterval: 60_000 };

const posthog = () =>
  peers.posthog({
    ...LATE,
    host: 'http://127.0.0.1:9',
    fetch: async (_url, { body }) => {
      look(body);
      return { status: 200, text: async () => '{}', json: async () => ({}) };
    },
  });

const segment = () =>
  peers.segment({
    ...LATE,
    httpClient: async (_url, { body }) => {
      look(body);
      return { status: 200, statusText: 'OK' };
    },
  });

const amplitude = () =>
  peers.amplitude({
    flushQueueSize: BURST,
    flushIntervalMillis: 1,
    transportProvider: {
      send: async (_url, body) => {
        look(JSON.stringify(body));
        const accepted = { eventsIngested: 0, payloadSizeBytes: 0, serverUploadTime: 0 };
        return { status: 'success', statusCode: 200, body: accepted };
      },
    },
  });

const routers = (backend) => ({
  a: { backends: { b: { backends: { c: { backends: { only: backend } } } } } },
});

/** `reach`: what we want to be at most. `unseen`: what it makes of an event comes out later than it is looked at. */
const SUBJECTS = [
  { name: 'JSON.stringify(event)', open: stringify },
  { name: 'put together by hand, the JSON of the context made once a scope', open: assembledInScope },
  { name: 'put together by hand, two frames an event', open: assembledAnew },
  { name: 'structuredClone(event)', open: clone },
  { name: '**emit** in two contexts', open: (checking) => inScope({ only: noop(checking) }), reach: 1 },
  {
    name: '**emit**, both contexts entered anew, another request each time',
    open: anew,
    reach: parseInt(node, 10) < 24 ? 1.7 : 2.6,
  },
  {
    name: '**emit** through three nested routers',
    open: (checking) => inScope(routers(noop(checking))),
    reach: 1.1,
  },
  { name: '**emit** into httpBackend with memoryBacklog', open: held, unseen: true },
  { name: 'pino to /dev/null', open: pino },
  { name: 'OpenTelemetry logs, batched, OTLP JSON', open: openTelemetry },
  { name: 'Amplitude', open: amplitude },
  { name: 'posthog-node', open: posthog },
  { name: 'Segment', open: segment },
];

/** @param quick fewer rounds */
export async function emitReport({ quick }) {
  const [generations, rounds] = quick ? [2, 5] : [5, 12];
  await checkWork();
  const results = SUBJECTS.map(() => []);
  for (let generation = 0; generation < generations; generation++) {
    const processes = SUBJECTS.map(({ name }) => new ContenderProcess(FILE, [name]));
    for (const each of processes) {
      await each.ask('warm up');
    }
    for (let round = 0; round < rounds; round++) {
      for (const [i, each] of processes.entries()) {
        results[i].push(await each.ask('round'));
      }
    }
    for (const each of processes) {
      each.end();
    }
  }
  const bytes = Math.round(median(Array.from({ length: 1_000 }, (_, n) => JSON.stringify(event(n)).length)));
  const rows = SUBJECTS.map(({ name, reach }, i) => {
    const times = (key) => results[i].map(({ subject, floor }) => subject[key] / floor[key]);
    return [
      name,
      median(times('call')).toFixed(2),
      reach === undefined ? '' : `at most ${reach.toFixed(1)}`,
      spread(times('call')),
      median(times('cpu')).toFixed(2),
      Math.round((median(results[i].map(({ subject }) => subject.call)) / EVENTS) * 1_000),
    ];
  });
  return [
    `Recording one event of ${bytes} bytes, times JSON.stringify(event), Node ${node}. In the call: what the caller ` +
      'waits for. Processor time: of all threads, with what is left for later.',
    table(['', 'in the call', 'reach', 'middle half', 'processor time', 'ns in the call'], rows),
  ].join('\n\n');
}

/** @throws when a subject leaves out a part of the event, or ours says anything but what JSON.stringify says */
async function checkWork() {
  const { data, context: its } = event(CHECKED);
  const leaves = leavesOf({ data, its });
  for (const { name } of SUBJECTS.filter(({ unseen }) => !unseen)) {
    const contender = new ContenderProcess(FILE, [name, 'checking']);
    const json = await contender.ask('check');
    contender.end();
    const missing = leaves.filter((leaf) => !json.includes(leaf));
    if (missing.length > 0) {
      throw new Error(`${name} left out ${missing.join(', ')}`);
    }
    if (name.startsWith('**emit**')) {
      const { id, timestamp } = JSON.parse(json);
      const expected = JSON.stringify({ ...event(CHECKED), id, timestamp });
      if (json !== expected) {
        throw new Error(`${name} emitted ${json} in place of ${expected}`);
      }
    }
  }
}

const leavesOf = (value) =>
  typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : [JSON.stringify(value)];

let next = 0;

/** Microseconds that some bursts take: in the calls alone (`call`), and of all threads of the process (`cpu`). */
async function measure({ emit, inside = inNoScope, flush }, bursts) {
  let ms = 0;
  const before = process.cpuUsage();
  for (let burst = 0; burst < bursts; burst++) {
    const first = next;
    next += BURST;
    const started = performance.now();
    inside(first, () => {
      for (let n = first; n < first + BURST; n++) {
        emit(n);
      }
    });
    ms += performance.now() - started;
    await flush?.();
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return { call: ms * 1_000, cpu: user + system };
}

async function serve(name, checking) {
  const subject = await SUBJECTS.find((each) => each.name === name).open(checking);
  const floor = stringify();
  answerQuestions(async (question) => {
    switch (question) {
      case 'warm up':
        await measure(floor, WARM_UP_BURSTS);
        await measure(subject, WARM_UP_BURSTS);
        return 'warm';
      case 'round': {
        const sums = { floor: { call: 0, cpu: 0 }, subject: { call: 0, cpu: 0 } };
        for (let turn = 0; turn < TURNS; turn++) {
          for (const [key, what] of Object.entries({ floor, subject })) {
            const { call, cpu } = await measure(what, TURN_BURSTS);
            sums[key].call += call;
            sums[key].cpu += cpu;
          }
        }
        return sums;
      }
      default: {
        const { emit, inside = inNoScope, flush } = subject;
        inside(CHECKED, () => emit(CHECKED));
        await flush?.();
        return typeof seen === 'string' || ArrayBuffer.isView(seen)
          ? Buffer.from(seen).toString()
          : JSON.stringify(seen);
      }
    }
  });
}

if (process.argv[1] === FILE) {
  const [, , name, mode] = process.argv;
  await serve(name, mode === 'checking');
}
