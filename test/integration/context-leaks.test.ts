import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Backend, TrackingEvent } from 'nestjs-tracking/core';
import { ContextStore, createTracker } from 'nestjs-tracking/core';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns } from '../support/http-app.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
afterEach(closeApps);

/** Remembers weakly what it saw. */
function seeing(): { readonly refs: WeakRef<object>[]; readonly backend: Backend } {
  const refs: WeakRef<object>[] = [];
  const remember = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) {
      refs.push(new WeakRef(value));
      Object.values(value).forEach(remember);
    }
  };
  return {
    refs,
    backend: {
      send: ({ context }: TrackingEvent) => {
        remember(context);
      },
    },
  };
}

async function left(refs: readonly WeakRef<object>[]): Promise<unknown[]> {
  for (let round = 0; round < 10; round++) {
    await turns(2);
    collect();
  }
  return refs.map((ref) => ref.deref()).filter((alive) => alive !== undefined);
}

describe('the context of the last event', () => {
  it.each([
    ['of the process', undefined],
    ['of their own', new ContextStore()],
  ])('is gone with its tracker, in the store %s', async (_what, contextStore) => {
    const { refs, backend } = seeing();
    await (async () => {
      const tracker = createTracker({ backends: { backend }, ...(contextStore && { contextStore }) });
      tracker.context('request', { user: { id: 'ada' }, session: { id: 's1' } }, () => {
        tracker.emit('a', {}, { context: { order: { id: 7 } } });
        tracker.emit('b');
        tracker.resolveContext();
      });
      tracker.enterContext('base', { base: { id: 1 } });
      tracker.emit('c');
      await tracker.close();
    })();
    expect(refs.length).toBeGreaterThan(5);
    expect(await left(refs)).toStrictEqual([]);
  });

  it('is gone with its app', async () => {
    const { refs, backend } = seeing();
    await (async () => {
      const app = await startExpress(
        (web, tracker) => {
          web.get('/', (_request, response) => {
            tracker.emit('a');
            response.send('ok');
          });
        },
        { request: { user: () => 'ada', session: () => 's1' }, tracker: { backends: { backend } } },
      );
      await app.send('/');
      await closeApps();
    })();
    expect(refs.length).toBeGreaterThan(3);
    expect(await left(refs)).toStrictEqual([]);
  });
});
