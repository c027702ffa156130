import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import type { StartedProcess } from '../support/started-process.js';
import { startNode } from '../support/started-process.js';
import type { Transpiled } from '../support/transpiled.js';
import { transpiled } from '../support/transpiled.js';

jest.setTimeout(60_000);

let program: Transpiled;
let folder: string;
const started: StartedProcess[] = [];

beforeAll(async () => {
  program = await transpiled('programs/shutdown-app');
  folder = await mkdtemp(path.join(os.tmpdir(), 'nestjs-tracking-'));
});
afterAll(async () => {
  for (const child of started) {
    child.kill('SIGKILL');
  }
  await program.remove();
  await rm(folder, { recursive: true, force: true });
});

interface App {
  readonly child: StartedProcess;
  readonly url: string;
  /** The orders whose events have left the process. */
  delivered(): Promise<string[]>;
}

let files = 0;

async function start(platform: string, timeoutMs: number, trouble = 'none'): Promise<App> {
  const file = path.join(folder, `${files++}.txt`);
  const child = startNode([program.main, platform, file, String(timeoutMs), trouble]);
  started.push(child);
  const [, url = ''] = await child.said(/listening on (\S+)\n/);
  return {
    child,
    url,
    delivered: async () => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as string);
    },
  };
}

/** Answers the body, or nothing where no complete answer came. */
function get(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    http
      .get(url, { agent: new http.Agent() }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk)));
        response.on('error', () => {
          resolve(undefined);
        });
        response.on('end', () => {
          resolve(response.statusCode === 200 ? body : undefined);
        });
      })
      .on('error', () => {
        resolve(undefined);
      });
  });
}

/** Clients that ask one after the other until nobody answers any more. */
async function load(url: string, clients: number, answered: string[]): Promise<void> {
  let id = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (;;) {
        const body = await get(`${url}/orders/${id++}`);
        if (body === undefined) {
          return;
        }
        answered.push(body);
      }
    }),
  );
}

describe.each(['express', 'fastify'])('SIGTERM under load on %s', (platform) => {
  it('loses nothing that was answered, and ends in time', async () => {
    const app = await start(platform, 8_000);
    const answered: string[] = [];
    const clients = load(app.url, 30, answered);
    await eventually(() => {
      expect(answered.length).toBeGreaterThan(200);
    }, 20_000);
    const before = performance.now();
    app.child.kill('SIGTERM');
    expect(await app.child.ended()).toStrictEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(8_000);
    await clients;
    const delivered = new Set(await app.delivered());
    expect(answered.filter((id) => !delivered.has(id))).toStrictEqual([]);
  });

  it('ends in time when a backend hangs, and the others lose nothing', async () => {
    const app = await start(platform, 2_000, 'hanging');
    const answered: string[] = [];
    const clients = load(app.url, 10, answered);
    await eventually(() => {
      expect(answered.length).toBeGreaterThan(20);
    }, 20_000);
    const before = performance.now();
    app.child.kill('SIGTERM');
    expect(await app.child.ended()).toStrictEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(8_000);
    await clients;
    const delivered = new Set(await app.delivered());
    expect(answered.filter((id) => !delivered.has(id))).toStrictEqual([]);
  });

  it('saves everything in time when an open stream keeps HTTP from closing', async () => {
    const app = await start(platform, 2_000);
    const stream = http.get(`${app.url}/stream`);
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('response', resolve));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => get(`${app.url}/orders/${id}`)));
    app.child.kill('SIGTERM');
    await eventually(async () => {
      expect(new Set(await app.delivered())).toStrictEqual(new Set([...answers, 'stream']));
    }, 10_000);
    stream.destroy();
    expect(await app.child.ended()).toStrictEqual({ code: 0, signal: null });
  });
});
