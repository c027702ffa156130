import { createServer } from 'node:http';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { NAME } from '../sample.mjs';

/** Takes what the contenders send, and counts the events in it. */
export class Sink {
  #server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const text = body[0] === 0x1f ? gunzipSync(body) : body;
      this.events += text.toString().split(`"${NAME}"`).length - 1;
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    });
  });
  events = 0;

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
