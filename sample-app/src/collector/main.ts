/**
 * The collector: a small program of its own that stands for whoever wants the events, on another machine as a rule.
 * Arguments: the port, and the file that it keeps. It ends with the process that started it, however that one ends.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { collectorServer } from './collector-server.js';
import { CollectedEvents } from './collected-events.js';

const HOST = '127.0.0.1';

/** On standard error, as the app does: standard output belongs to the app's events. */
function say(line: string): void {
  process.stderr.write(`collector <- ${line}\n`);
}

// Ctrl-C reaches every process of the terminal. The app comes first: its last events are still to arrive.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  process.exit();
});
// Whoever read the lines may leave.
process.stderr.on('error', () => undefined);

const [port, file = ''] = process.argv.slice(2);
const server = collectorServer(await CollectedEvents.open(file), say);
server.listen(Number(port), HOST);
await once(server, 'listening');
process.send?.((server.address() as AddressInfo).port);
