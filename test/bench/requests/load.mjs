import { connect } from 'node:net';
import { once } from 'node:events';

const CONNECTIONS = 8;
let sent = 0;

/** The same request again and again over connections that stay open: one under way on each of them. */
export class Load {
  #connections = [];

  static async to(port) {
    const load = new Load();
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      load.#connections.push(socket);
    }
    return load;
  }

  async run(requests) {
    let left = requests;
    await Promise.all(
      this.#connections.map(async (socket) => {
        while (left > 0) {
          left--;
          await exchange(socket);
        }
      }),
    );
  }

  end() {
    for (const socket of this.#connections) {
      socket.destroy();
    }
  }
}

function exchange(socket) {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) {
      throw new Error('the server closed a connection');
    }
    let text = '';
    const done = (settle, value) => {
      socket.removeAllListeners();
      settle(value);
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith('{"accepted":true}')) {
        done(resolve);
      }
    });
    socket.on('error', (error) => done(reject, error));
    socket.on('close', () => done(reject, new Error(`lost after ${text}`)));
    socket.write(requestText(sent++));
  });
}

const requestText = (i) =>
  [
    `GET /runs/${i % 100}/donations?page=2 HTTP/1.1`,
    'Host: marathon.example',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64)',
    'Accept: application/json',
    'Referer: https://marathon.example/runs',
    `X-User: u_${i % 1000}`,
    `X-Session: s_${i % 1000}`,
    '\r\n',
  ].join('\r\n');
