/*
 * Each contender answers `{ emit(i), flush(), close(), inside? }`: `emit` records one event, `flush` resolves when the
 * sink has answered for all of them, `inside` runs a round in the contexts that it needs.
 *
 * Of each: its name, what makes it of the sink's URL and a folder, and how many events make a round: slow ones have
 * fewer. Each loads only what it needs.
 */
const FAST = 50_000;

const floor = (options) => async (url) => (await import('./floors.mjs')).handWritten(url, options);
const raw = async (url) => (await import('./floors.mjs')).raw(url);
const onDisk = (options) => async (url, folder) =>
  (await import('./floor-lmdb.mjs')).handWrittenLmdb(url, folder, options);
const ours = (options) => async (url) => (await import('./ours.mjs')).ours(url, options);
const oursOnDisk = async (url, folder) => (await import('./ours-on-disk.mjs')).oursOnDisk(url, folder);
const peer = (name, options) => async (url) => (await import('./peers.mjs'))[name](url, options);
const AS_INSTALLED = { tuned: false };

export const SETS = {
  memory: [
    ['hand-written loop', floor(), FAST],
    ['raw undici, batches made beforehand', raw, FAST],
    ['**httpBackend** from memory', ours(), FAST],
    ['OpenTelemetry logs, OTLP JSON', peer('openTelemetry'), FAST],
    ['posthog-node', peer('posthog'), 20_000],
    ['Amplitude', peer('amplitude'), 10_000],
    ['Segment', peer('segment'), 10_000],
  ],
  gzip: [
    ['hand-written loop, gzip', floor({ compression: 'gzip' }), FAST],
    ['**httpBackend**, gzip', ours({ compression: 'gzip' }), FAST],
  ],
  slow: [
    ['hand-written loop, 32 connections', floor({ connections: 32 }), FAST],
    ['hand-written loop, 4 connections', floor(), 20_000],
    ['**httpBackend** with its defaults', ours(), FAST],
    ['OpenTelemetry logs, OTLP JSON', peer('openTelemetry'), 5_000],
    ['posthog-node', peer('posthog'), 5_000],
    ['Segment', peer('segment'), 5_000],
  ],
  disk: [
    ['hand-written LMDB loop', onDisk(), FAST],
    ['hand-written LMDB loop, a key an event', onDisk({ perValue: 1 }), FAST],
    ['**httpBackend** from lmdbBacklog', oursOnDisk, FAST],
  ],
  outage: [
    ['hand-written loop', floor()],
    ['**httpBackend** from memory', ours()],
    ['**httpBackend** from lmdbBacklog', oursOnDisk],
    ['OpenTelemetry logs', peer('openTelemetry', AS_INSTALLED)],
    ['posthog-node', peer('posthog', AS_INSTALLED)],
    ['Amplitude', peer('amplitude', AS_INSTALLED)],
    ['Segment', peer('segment', AS_INSTALLED)],
  ],
  /** The same libraries with the room and the batches of ours. */
  outageTuned: [
    ['OpenTelemetry logs, tuned', peer('openTelemetry')],
    ['posthog-node, tuned', peer('posthog')],
    ['Amplitude, tuned', peer('amplitude')],
    ['Segment, tuned', peer('segment')],
  ],
  dead: [['**httpBackend** from memory, its bounds as they are', ours()]],
};
