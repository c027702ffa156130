import { describe, expect, it } from '@jest/globals';
import type { SendOptions } from '../../../lib/core/backend.js';
import { DRAINS_ON_CLOSE } from '../../../lib/core/backend.js';
import { TrackingError } from '../../../lib/core/errors.js';
import { record } from '../../support/recording.js';

describe('a backend that refuses an event', () => {
  it.each(['overflow', 'too_large', 'closed'] as const)('for being %s has not failed', async (code) => {
    const run = record({
      backends: {
        full: {
          send: () => {
            throw new TrackingError(code, 'the reason');
          },
        },
      },
    });
    const { outcomes } = await run.tracker.emitAsync('a');
    expect(outcomes).toEqual({ full: { status: 'dropped', reason: code } });
    expect(run.reports).toMatchObject([{ code, path: 'full', message: '"a" was dropped: the reason' }]);
    expect(run.tracker.stats().backends['full']?.dropped).toEqual({
      [code]: 1,
    });
  });

  it.each<[string, object]>([
    ['for another reason', new TrackingError('timeout', 'late')],
    [
      'with something that cannot be read',
      new Proxy(
        {},
        {
          has: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('%s has failed', async (_, error) => {
    const run = record({
      backends: {
        bad: {
          send: () => {
            // eslint-disable-next-line @typescript-eslint/only-throw-error -- backends throw anything
            throw error;
          },
        },
      },
    });
    const { outcomes } = await run.tracker.emitAsync('a');
    expect(outcomes['bad']).toMatchObject({ status: 'failed' });
    expect(run.codes()).toEqual(['backend_failed']);
  });

  it('is told whether somebody waits for it', async () => {
    const told: (SendOptions | undefined)[] = [];
    const run = record({
      backends: {
        spy: {
          send: (_, options) => {
            told.push(options);
          },
        },
      },
    });
    run.tracker.emit('a');
    await run.tracker.emitAsync('b');
    expect(told).toEqual([{ waitForRoom: false, fireAndForget: true }, { waitForRoom: true }]);
  });
});

describe('a backend that drains while it closes', () => {
  it('is not flushed before, and has the whole time for it', async () => {
    const calls: string[] = [];
    const run = record({
      backends: {
        drains: {
          [DRAINS_ON_CLOSE]: true,
          send: () => undefined,
          flush: () => Promise.resolve(void calls.push('flush')),
          close: (budget) => Promise.resolve(void calls.push(`close ${String(budget?.timeoutMs)}`)),
        },
      },
    });
    await run.tracker.close({ timeoutMs: 1_000 });
    expect(calls).toEqual(['close 1000']);
  });
});
