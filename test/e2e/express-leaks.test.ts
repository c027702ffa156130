import http from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { RequestOptions } from 'nestjs-tracking/express';
import { closeApps, startExpress } from '../support/express-app.js';
import { until } from '../support/http-app.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
// Many requests, on machines that do other things as well.
jest.setTimeout(60_000);
afterEach(closeApps);

const SETTINGS: Record<string, RequestOptions> = {
  'nothing set': {},
  'hold and keep': { keep: ({ status }) => status === 200 },
  awaitAccepted: { awaitAccepted: true },
  'everything at the end': {
    hold: true,
    awaitAccepted: 'required',
    flushAtEnd: 'delivered',
    onEnd: () => undefined,
    waitUntil: () => () => undefined,
  },
};

describe('requests', () => {
  it.each(Object.keys(SETTINGS))('leave nothing behind, answered or aborted: %s', async (name) => {
    let alive = 0;
    const registry = new FinalizationRegistry(() => {
      alive--;
    });
    const app = await startExpress(
      (web, tracker) => {
        web.use((request, response, next) => {
          alive += 2;
          registry.register(request, undefined);
          registry.register(response, undefined);
          next();
        });
        web.get('/ok', (_request, response) => {
          tracker.emit('seen', { text: 'x'.repeat(1_000) });
          response.send('ok');
        });
        web.get('/hang', () => {
          tracker.emit('seen');
        });
      },
      { request: SETTINGS[name] ?? {} },
    );
    const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
    await Promise.all(Array.from({ length: 500 }, () => app.send('/ok', { agent })));
    for (let i = 0; i < 20; i++) {
      (await app.abort('/hang')).destroy();
    }
    agent.destroy();
    app.memory.clear();
    await until(() => {
      collect();
      return alive < 50;
    }, 'the requests to be given back');
    expect(alive).toBeLessThan(50);
  });
});
