import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

/*
 * A destination in a process of its own: `node sink.mjs <delayMs>`. It answers after that time, or is away, and counts
 * the events of any vendor's format by the one field that all of them carry once.
 *
 * Asked over IPC: `{ away }`, `{ numbered }` (from now on it also tells events from each other), `{ clear }`.
 */
const FIELD = '"amount"';
/** As JSON has it, and as OTLP's JSON has it. */
const NUMBER = /"amount"(?::|,"value":\{"\w+":"?)(\d+)/g;
const delayMs = Number(process.argv[2] ?? 0);
let isAway = false;
let isNumbered = false;
let events = 0;
let numbers = new Set();

function count(body) {
  if (isNumbered) {
    for (const [, number] of body.toString().matchAll(NUMBER)) {
      events++;
      numbers.add(number);
    }
    return;
  }
  for (let at = body.indexOf(FIELD); at >= 0; at = body.indexOf(FIELD, at + 1)) {
    events++;
  }
}

const server = createServer((request, response) => {
  if (isAway) {
    request.socket.destroy();
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => {
    chunks.push(chunk);
  });
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const isZipped = request.headers['content-encoding'] === 'gzip';
    count(isZipped ? gunzipSync(body) : body);
    const answer = () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"code":200}');
    };
    if (delayMs === 0) {
      answer();
    } else {
      setTimeout(answer, delayMs);
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port });
});
process.on('message', ({ away, numbered, clear }) => {
  isAway = away ?? isAway;
  isNumbered = numbered ?? isNumbered;
  if (clear) {
    events = 0;
    numbers = new Set();
  }
  process.send({ events, unique: numbers.size });
});
process.on('disconnect', () => process.exit());
