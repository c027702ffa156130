import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import type { HttpBackendOptions } from '../../lib/http/http-options.js';
import type { Collector, CollectorOptions } from '../../lib/testing/collector.js';
import { startCollector } from '../../lib/testing/collector.js';
import type { BackendApp } from './backend-app.js';
import { backendApp } from './backend-app.js';
import type { DeliveringApp } from './delivering-app.js';
import { deliveringApp } from './delivering-app.js';

export interface HttpScene {
  /** Closed after the test. */
  opened<T extends { close(): unknown }>(one: T): T;
  collect(options?: CollectorOptions): Promise<Collector>;
  /** An app with one `httpBackend`. */
  app(options: HttpBackendOptions): DeliveringApp;
  /** An app with one ready-made backend. */
  running(backend: Parameters<typeof backendApp>[0]): BackendApp;
  /** A server below HTTP: each connection is handed to the script when it brings something, with its number from 1. */
  raw(script: (socket: Socket, n: number) => void): Promise<string>;
}

/** Where tests of delivery over real sockets play; what they open is closed after each, the last first. */
export function httpScene(): HttpScene {
  const all: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of all.splice(0).reverse()) {
      await one.close();
    }
  });
  const opened: HttpScene['opened'] = (one) => {
    all.push(one);
    return one;
  };
  return {
    opened,
    collect: async (options = {}) => opened(await startCollector(options)),
    app: (options) => opened(deliveringApp(options)),
    running: (backend) => opened(backendApp(backend)),
    raw: async (script) => {
      const { url, ...server } = await rawServer(script);
      opened(server);
      return url;
    },
  };
}

async function rawServer(
  script: (socket: Socket, n: number) => void,
): Promise<{ url: string; close(): Promise<unknown> }> {
  let n = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    n++;
    const own = n;
    socket.once('data', () => {
      script(socket, own);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
