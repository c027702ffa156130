import { createServer } from 'node:http';

/** A destination in a process of its own: counts what it is sent, answers after `delayMs`, or is away. */
const delayMs = Number(process.argv[2] ?? 0);
let bytes = 0;
let requests = 0;
let isAway = false;

const server = createServer((request, response) => {
  if (isAway) {
    request.socket.destroy();
    return;
  }
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    requests++;
    if (delayMs === 0) {
      response.end();
    } else {
      setTimeout(() => response.end(), delayMs);
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port });
});
process.on('message', (message) => {
  if (message.away !== undefined) {
    isAway = message.away;
  }
  process.send({ bytes, requests });
});
process.on('disconnect', () => process.exit());
