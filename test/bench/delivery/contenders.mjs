import { memoryBacklog } from '../../../dist/http.js';
import { handWrittenLmdb } from './floor-lmdb.mjs';
import { handWritten, raw } from './floors.mjs';
import { ours, oursOnDisk } from './ours.mjs';
import {
  amplitude,
  openTelemetry,
  posthog,
  rudderStack,
  segment,
} from './peers.mjs';

/*
 * Each contender answers `{ emit(i), flush(), close(), inside? }`: `emit` records one event, `flush` resolves when the
 * sink has answered for all of them, `inside` runs a round in the contexts that it needs.
 *
 * Of each: its name, what makes it, and how many events make a round: slow ones have fewer.
 */
const FAST = 50_000;

export const SETS = {
  memory: [
    ['hand-written loop', handWritten, FAST],
    ['raw undici, batches made beforehand', raw, FAST],
    ['**httpBackend** from memory', (url) => ours(url), FAST],
    ['OpenTelemetry logs, OTLP JSON', openTelemetry, 10_000],
    ['Segment', segment, 5_000],
    ['posthog-node', posthog, 5_000],
    ['Amplitude', amplitude, 2_000],
    ['RudderStack', rudderStack, 500],
  ],
  gzip: [
    [
      'hand-written loop, gzip',
      (url) => handWritten(url, { compression: 'gzip' }),
      FAST,
    ],
    [
      '**httpBackend**, gzip',
      (url) => ours(url, { compression: 'gzip' }),
      FAST,
    ],
  ],
  slow: [
    [
      'hand-written loop, 32 connections',
      (url) => handWritten(url, { connections: 32 }),
      FAST,
    ],
    ['hand-written loop, 4 connections', handWritten, 20_000],
    ['**httpBackend** with its defaults', (url) => ours(url), FAST],
    ['OpenTelemetry logs, OTLP JSON', openTelemetry, 5_000],
    ['Segment', segment, 5_000],
    ['posthog-node', posthog, 5_000],
  ],
  disk: [
    ['hand-written LMDB loop', handWrittenLmdb, FAST],
    [
      'hand-written LMDB loop, a key an event',
      (url, folder) => handWrittenLmdb(url, folder, { perValue: 1 }),
      FAST,
    ],
    ['**httpBackend** from lmdbBacklog', oursOnDisk, FAST],
  ],
  outage: [
    ['hand-written loop', handWritten],
    ['**httpBackend** from memory', (url) => ours(url)],
    ['**httpBackend** from lmdbBacklog', oursOnDisk],
    ['OpenTelemetry logs, OTLP JSON', openTelemetry],
    ['Segment', segment],
    ['posthog-node', posthog],
    ['Amplitude', amplitude],
  ],
  dead: [
    ['**httpBackend** from memory, bounds as they are', (url) => ours(url)],
    [
      '**httpBackend** from memory, 200,000 events at most',
      (url) =>
        ours(url, {
          backlog: memoryBacklog({ maxEvents: 200_000, maxBytes: 2 ** 28 }),
        }),
    ],
  ],
};
