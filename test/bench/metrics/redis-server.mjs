import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.mjs';

/** A Redis server on loopback, in a process of its own, without persistence. */
export async function startRedis() {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-redis-'));
  const child = spawn(
    'redis-server',
    [
      ...['--bind', '127.0.0.1', '--port', port, '--dir', folder],
      ...['--save', '', '--appendonly', 'no'],
    ].map(String),
    { stdio: 'ignore' },
  );
  child.once('error', (error) => {
    throw new Error(`redis-server could not be started: ${error.message}`);
  });
  await sleep(300);
  return {
    client: () => new Redis(port, '127.0.0.1'),
    stop: () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
