import type { IncomingHttpHeaders, RequestOptions, Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';

/** What a client received. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

export interface SendOptions extends Omit<RequestOptions, 'agent'> {
  readonly agent?: http.Agent;
  readonly body?: string | object;
}

/** A server on a free port of the loopback, and how tests talk to it. */
export interface HttpApp {
  readonly port: number;
  readonly url: string;
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** A request whose socket the test closes. Resolves when the server may have begun with it. */
  abort(path: string): Promise<net.Socket>;
  /** What comes back, to the byte, from a connection that is closed after the answer. */
  raw(lines: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Starts to listen, unless the server does so already. */
export async function listening(server: Server): Promise<HttpApp> {
  if (!server.listening) {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    send: (path, options = {}) => send(port, path, options),
    abort: (path) => connect(port, [`GET ${path} HTTP/1.1`, 'Host: a']),
    raw: async (lines) => read(await connect(port, lines)),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A plain server of Node. */
export function serve(handle: http.RequestListener): Promise<HttpApp> {
  return listening(http.createServer(handle));
}

/** Resolves when a condition holds; rejects after two seconds. */
export async function until(holds: () => boolean, what = holds.toString()): Promise<void> {
  const end = performance.now() + 2_000;
  while (!holds()) {
    if (performance.now() > end) {
      throw new Error(`waited in vain for: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** All I/O that is ready has happened, a few times over. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function send(port: number, path: string, { body, headers, ...options }: SendOptions): Promise<Answer> {
  const isText = body === undefined || typeof body === 'string';
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(isText ? {} : { 'content-type': 'application/json' }),
          ...(headers as http.OutgoingHttpHeaders | undefined),
        },
        // A kept connection would hold up the end of a server.
        agent: new http.Agent(),
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            message: response.statusMessage ?? '',
            headers: response.headers,
            trailers: response.trailers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(isText ? body : JSON.stringify(body));
  });
}

async function connect(port: number, lines: readonly string[]): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  // The test destroys it, or the server does.
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise((resolve) => {
    socket.write(`${lines.join('\r\n')}\r\n\r\n`, resolve);
  });
  return socket;
}

function read(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString());
    });
  });
}
