import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { httpScene } from '../support/http-scene.js';

const { app, collect, opened, raw } = httpScene();

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

describe('a refusal', () => {
  it.each<[string, (socket: Socket) => void]>([
    [
      'that is cut off',
      (socket) => {
        socket.end('HTTP/1.1 400 Bad\r\ncontent-length: 99\r\n\r\nbecause');
      },
    ],
    [
      'that never ends',
      (socket) => {
        socket.write('HTTP/1.1 400 Bad\r\ncontent-length: 99\r\n\r\nbecause');
      },
    ],
    [
      'with garbage in its chunks',
      (socket) => {
        socket.write('HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n7\r\nbecause\r\nZZZ\r\n');
      },
    ],
  ])('%s is one all the same', async (_, answer) => {
    const run = app({
      url: await raw((socket) => {
        answer(socket);
      }),
      timeoutMs: 5_000,
    });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ dead: 1, retried: 0 });
    expect(run.lost).toMatchObject([{ reason: 'rejected', status: 400, body: 'because' }]);
  });

  it.each(['400 Bad', '413 Large', '401 No'])(
    'that comes before the request was read counts: %s',
    async (status) => {
      const url = await raw((socket) => {
        socket.pause();
        socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);
      });
      const run = app({ url, batch: { maxBytes: 10_000_000 } });
      for (let i = 0; i < 20; i++) {
        run.tracker.emit('a', { text: 'x'.repeat(900_000) });
      }
      const statuses = await run.until(({ state, dead }) =>
        status.startsWith('401') ? state === 'paused' : dead > 0,
      );
      expect(statuses).toMatchObject({ delivered: 0 });
      await run.close();
    },
  );

  it('that is a bomb when it is decompressed stays as it is', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 'x'));
    const run = app({
      url: await raw((socket) => {
        socket.write(`HTTP/1.1 400 Bad\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
        socket.write(bomb);
      }),
    });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ dead: 1 });
    expect(run.lost[0]?.body?.length).toBeLessThanOrEqual(4_096);
  });
});

describe('a connection that the server closes after each answer', () => {
  it.each([
    ['without saying so', OK],
    ['and says so', OK.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')],
  ])('%s costs no attempt and doubles nothing', async (_, answer) => {
    let requests = 0;
    const url = await raw((socket) => {
      requests++;
      socket.end(answer);
    });
    const run = app({ url });
    for (let i = 0; i < 30; i++) {
      run.tracker.emit('a');
      await run.settled();
    }
    expect(run.stats()).toMatchObject({ delivered: 30, retried: 0, dead: 0 });
    expect(requests).toBe(30);
  });
});

describe('connections', () => {
  it('are kept from batch to batch', async () => {
    let connections = 0;
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.end('{"taken":true}'));
    }).on('connection', () => {
      connections++;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened({
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    });
    const { port } = server.address() as AddressInfo;
    const run = app({ url: `http://127.0.0.1:${port}` });
    for (let i = 0; i < 30; i++) {
      run.tracker.emit('a');
      await run.settled();
    }
    expect(connections).toBeLessThanOrEqual(2);
  });
});

describe('an event', () => {
  it('of a megabyte, and one with half characters, arrive as they are', async () => {
    const collector = await collect();
    const run = app({ url: collector.url });
    run.tracker.emit('large', { text: 'ü'.repeat(500_000) });
    run.tracker.emit('half', { text: '\ud800', '\udfff': 'x' });
    run.tracker.emit('last');
    expect(await run.settled()).toMatchObject({ delivered: 3 });
    const arrived = new Map(
      collector.requests.flatMap(({ events }) => events).map(({ name, data }) => [name, data]),
    );
    expect(arrived.size).toBe(3);
    expect(arrived.get('large')?.['text']).toBe('ü'.repeat(500_000));
    expect(arrived.get('half')).toEqual({ text: '\ud800', '\udfff': 'x' });
  });
});

describe("the app's own dispatcher", () => {
  it('that the app closes too early keeps the events waiting, and hands them over at the end', async () => {
    const { url } = await collect();
    const dispatcher = new Agent();
    const run = app({ url, dispatcher });
    run.tracker.emit('a');
    await run.settled();
    await dispatcher.close();
    run.tracker.emit('b');
    await run.until(({ lastError }) => lastError !== undefined);
    expect(run.stats()).toMatchObject({ delivered: 1, depth: 1, dead: 0 });
    await run.close();
    expect(run.lost).toMatchObject([{ reason: 'shutdown', events: [{ name: 'b' }] }]);
  });
});
