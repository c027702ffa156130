import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { StartError } from './start-error.js';

/**
 * Asks before the app boots, so that one that cannot serve does nothing at all. Answers the port: for 0 a free one.
 *
 * @param name of the variable that says which
 * @throws StartError
 */
export async function requireFreePort(name: string, port: number, host: string): Promise<number> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new StartError(whyNot(name, port, error as NodeJS.ErrnoException), {
      cause: error,
    });
  }
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return address.port;
}

function whyNot(name: string, port: number, { code, message }: NodeJS.ErrnoException) {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken: stop what listens there, or choose another one, such as ${name}=${otherThan(port)} npm start.`;
    case 'EACCES':
      return `Port ${port} may not be opened by this user: choose one above 1023, such as ${name}=3000 npm start.`;
    default:
      return `Port ${port} cannot be opened: ${message}.`;
  }
}

/** Where the app stands already, its collector is on the next port. */
function otherThan(port: number): number {
  return port === 3000 || port === 3001 ? 3010 : 3001;
}
