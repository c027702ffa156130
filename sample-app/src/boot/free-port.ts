import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from './start-error.js';

/**
 * Asks before the app boots, so that one that cannot serve does nothing at all.
 *
 * @throws StartError
 */
export async function requireFreePort(
  port: number,
  host: string,
): Promise<void> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new StartError(whyNot(port, error as NodeJS.ErrnoException), {
      cause: error,
    });
  }
  server.close();
  await once(server, 'close');
}

function whyNot(port: number, { code, message }: NodeJS.ErrnoException) {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken: stop what listens there, or choose another one, such as PORT=${port === 3001 ? 3002 : 3001} npm start.`;
    case 'EACCES':
      return `Port ${port} may not be opened by this user: choose one above 1023, such as PORT=3000 npm start.`;
    default:
      return `Port ${port} cannot be opened: ${message}.`;
  }
}
