import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CollectedEvents } from '../../../sample-app/src/collector/collected-events.js';
import { collectorServer } from '../../../sample-app/src/collector/collector-server.js';
import { temporaryFolder } from '../../support/marathon-folder.js';

const SIGNED_IN = { id: '1', name: 'donor.signed_in', data: { name: 'Ada' } };
const DONATED = { id: '2', name: 'donation.received', data: {} };
const GOAL = { id: '3', name: 'goal.reached', data: {} };

describe('the collector of the sample app', () => {
  const servers: Server[] = [];
  let folder: string;
  let file: string;
  let said: string[];

  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, 'collected.jsonl');
    said = [];
  });

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true });
  });

  /** Answers how to send something to a new collector of the same file; what is sent answers with its status. */
  const open = async (path = file): Promise<(body: unknown) => Promise<number>> => {
    const server = collectorServer(await CollectedEvents.open(path), (line) => said.push(line));
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return async (body) => {
      const { status } = await fetch(`http://127.0.0.1:${port}/events`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return status;
    };
  };

  const lines = (): unknown[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  it('keeps each event once, says which are new, and remembers them when it starts again', async () => {
    const send = await open();
    expect(await send([SIGNED_IN, DONATED])).toBe(204);
    expect(await send([SIGNED_IN, DONATED])).toBe(204);
    const sendLater = await open();
    expect(await sendLater([DONATED, GOAL])).toBe(204);
    expect(lines()).toEqual([SIGNED_IN, DONATED, GOAL]);
    expect(said).toEqual(['donor.signed_in 1', 'donation.received 2', 'goal.reached 3']);
  });

  it('keeps what it is told from other users', async () => {
    const send = await open();
    await send([SIGNED_IN]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each(['', '[', '{}', '[{"id":"1"}]', '[null]', '[{"id":1,"name":"a"}]'])(
    'refuses %j and keeps nothing',
    async (body) => {
      const send = await open();
      expect(await send(body)).toBe(400);
      expect(await send([DONATED])).toBe(204);
      expect(lines()).toEqual([DONATED]);
    },
  );

  it('does not take events that it cannot write, so that they come again', async () => {
    const send = await open(join(folder, 'missing', 'file'));
    expect(await send([DONATED])).toBe(503);
    expect(said.join()).toMatch(/^Error: ENOENT/);
  });

  it('goes on after a line that was cut off', async () => {
    const send = await open();
    await send([SIGNED_IN]);
    appendFileSync(file, '{"id":"2","na');
    const sendLater = await open();
    expect(await sendLater([DONATED, GOAL])).toBe(204);
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([
      JSON.stringify(SIGNED_IN),
      '{"id":"2","na',
      JSON.stringify(DONATED),
      JSON.stringify(GOAL),
      '',
    ]);
  });
});
