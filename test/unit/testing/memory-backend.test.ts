import { beforeEach, describe, expect, it } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import { createTracker } from '../../../lib/core/create-tracker.js';
import { isTrackingError } from '../../../lib/core/errors.js';
import type { Tracker } from '../../../lib/core/tracker.js';
import { memoryBackend } from '../../../lib/testing.js';
import type { MemoryBackend } from '../../../lib/testing.js';

describe('memoryBackend', () => {
  let backend: MemoryBackend;
  let tracker: Tracker<Record<string, object>>;

  beforeEach(() => {
    backend = memoryBackend({ timeoutMs: 20 });
    tracker = createTracker({
      backends: { memory: backend },
      contextStore: new ContextStore(),
    });
  });

  it('keeps events in order, in one array', () => {
    const { events } = backend;

    tracker.emit('a', { n: 1 });
    tracker.emit('b');

    expect(events.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(events[0]?.data).toEqual({ n: 1 });
    expect(backend.events).toBe(events);
  });

  it('forgets them', async () => {
    tracker.emit('a');
    backend.clear();

    expect(backend.events).toHaveLength(0);
    tracker.emit('a', { n: 2 });
    await expect(backend.waitFor('a')).resolves.toMatchObject([{ data: { n: 2 } }]);
  });

  it('waits for what is there already', async () => {
    tracker.emit('a', { n: 1 });
    tracker.emit('a', { n: 2 });

    const found = await backend.waitFor('a');

    expect(found.map(({ data }) => data['n'])).toEqual([1]);
  });

  it('waits for as many as are asked for', async () => {
    tracker.emit('a', { n: 1 });
    const waiting = [backend.waitFor('a', 2), backend.waitFor('b')] as const;
    tracker.emit('b');
    tracker.emit('a', { n: 2 });
    tracker.emit('a', { n: 3 });

    const [a, b] = await Promise.all(waiting);

    expect(a.map(({ data }) => data['n'])).toEqual([1, 2]);
    expect(b).toHaveLength(1);
  });

  it('says what came instead', async () => {
    tracker.emit('a');
    tracker.emit('b');
    tracker.emit('a');

    const error = await backend.waitFor('a', 3).catch((e: unknown) => e);

    expect(isTrackingError(error)).toBe(true);
    expect(error).toMatchObject({
      code: 'timeout',
      message: 'waited 20 ms: expected 3 of "a", tracked: a ×2, b',
    });
  });

  it('says that nothing came, and names at most 20 of what came', async () => {
    await expect(backend.waitFor('x')).rejects.toThrow('tracked: nothing');
    for (let i = 0; i < 22; i++) {
      tracker.emit(`name-${i}`);
    }
    await expect(backend.waitFor('x')).rejects.toThrow(/name-18, name-19 and 2 more names$/);
  });

  it.each([0, -1, 1.5, NaN])('refuses to wait for %p events', async (count) => {
    await expect(backend.waitFor('a', count)).rejects.toThrow(RangeError);
  });

  it('refuses more events than any test can mean', async () => {
    const event = { ...(await bornEvent()) };
    for (let i = 0; i < 1_000_000; i++) {
      void backend.send(event);
    }

    expect(() => backend.send(event)).toThrow('at most 1000000 events');
  });

  async function bornEvent() {
    tracker.emit('a');
    const [event] = await backend.waitFor('a');
    backend.clear();
    return event!;
  }
});
