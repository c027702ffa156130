import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder } from '../support/marathon-folder.js';
import type { StartedProcess } from '../support/started-process.js';
import { startNode } from '../support/started-process.js';

const run = promisify(execFile);
/** Builds, boots, is asked, and ends. */
const START_MS = 120_000;
const BUILDING = 'Building the package and the sample app ...\n';

const DEFAULTS = { PORT: '0', ADMIN_TOKEN: '', REDIS_URL: '' };

/** The lines that it says to paste into a shell. */
function commandsOf({ stderr }: StartedProcess): string[] {
  return stderr()
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());
}

function eventsOf({ stdout }: StartedProcess): TrackingEvent[] {
  return stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrackingEvent);
}

describe('npm start', () => {
  const started: StartedProcess[] = [];
  let dataDir: string;
  /** Without npm. */
  const start = (env: Readonly<Record<string, string>>): StartedProcess =>
    startNode(['sample-app/start.mjs'], {
      env: { ...DEFAULTS, DATA_DIR: dataDir, ...env },
    });
  const startApp = async (
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ app: StartedProcess; url: string }> => {
    const app = start(env);
    started.push(app);
    const [, url = ''] = await app.said(/runs on (http:\S+), [^]*stats\.\n/);
    return { app, url };
  };

  beforeAll(() => {
    dataDir = temporaryFolder();
  });

  afterEach(() => {
    started.splice(0).forEach((app) => {
      app.kill('SIGKILL');
    });
  });

  afterAll(() => {
    rmSync(dataDir, { recursive: true });
  });

  it(
    'says three commands that work as they are, and writes events as JSON lines',
    async () => {
      const { app, url } = await startApp();
      const commands = commandsOf(app);
      expect(commands).toHaveLength(3);
      const { stdout } = await run('sh', ['-ec', commands.join('\n')]);
      expect(stdout).toContain('"thanks":"Thank you, Ada!"}');
      expect(stdout).toContain('{"donations":1,"totalCents":2500,');
      await eventually(() => {
        expect(eventsOf(app)).toHaveLength(4);
      });
      const names = ['donor.signed_in', 'payment.charged', 'donation.received', 'totals.read'];
      expect(eventsOf(app).map(({ name }) => name)).toEqual(names);
      for (const { context } of eventsOf(app)) {
        expect(context).toMatchObject({
          app: 'donation-marathon',
          request: {
            host: new URL(url).host,
            userAgent: expect.stringMatching(/^curl/),
            status: expect.any(Number),
            durationMs: expect.any(Number),
          },
          user: { id: expect.any(String) },
        });
      }
      // Nothing went wrong, and nothing more is said than the greeting.
      expect(app.stderr().startsWith(`${BUILDING}\nThe donation`)).toBe(true);
      expect(app.stderr()).not.toMatch(/warn|error/i);

      const [signIn = '', donate = ''] = commands;
      await run('sh', ['-ec', [signIn, donate, donate].join('\n')]);
      await app.said(/WARN .*backend_failed at sponsor\/wall/);
      const [, stats = ''] = /^What they add up to: (curl .*)$/m.exec(app.stderr()) ?? [];
      await eventually(async () => {
        const picture = await run('sh', ['-ec', stats]);
        expect(picture.stdout).toMatch(/^celeste .* 75\.00 +3 +1$/m);
      });
      app.kill('SIGTERM');
      expect(await app.ended()).toEqual({ code: 0, signal: null });
      // All of it is JSON, and the sponsor's failure took nothing away.
      expect(
        eventsOf(app)
          .map(({ name }) => name)
          .slice(names.length)
          .filter((name) => name !== 'stats.viewed'),
      ).toEqual([
        'donor.signed_in',
        'payment.charged',
        'donation.received',
        'payment.charged',
        'donation.received',
        'marathon.stopped',
      ]);
    },
    START_MS,
  );

  it(
    'ends by Ctrl-C although nobody reads its events and a connection stays open',
    async () => {
      const { app, url } = await startApp({ ADMIN_TOKEN: 'a-b_c.d==' });
      expect(commandsOf(app)[2]).toContain("'Authorization: Bearer a-b_c.d=='");
      const { hostname, port } = new URL(url);
      const silent = connect(Number(port), hostname);
      await once(silent, 'connect');
      app.stopReading();
      for (let count = 0; count < 3; count++) {
        expect((await fetch(url)).status).toBe(200);
      }
      app.kill('SIGINT');
      const reset = once(silent, 'close').catch(() => undefined);
      expect(await app.ended()).toEqual({ code: 0, signal: null });
      await reset;
    },
    START_MS,
  );

  it(
    'says in one line that the port is taken',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const app = start({ PORT: String(port) });
      expect(await app.ended()).toEqual({ code: 1, signal: null });
      server.close();
      expect(app.stdout()).toBe('');
      expect(app.stderr()).toBe(
        `${BUILDING}Port ${port} is taken: stop what listens there, or choose another one, such as PORT=3001 npm start.\n`,
      );
    },
    START_MS,
  );

  it.each([
    ['PORT', '80a', 'expected a number from 0 to 65535, got "80a".'],
    ['DATA_DIR', 'package.json', 'expected a folder that can be written to, got "package.json" (EEXIST).'],
  ])(
    'says in one line what is wrong with %s',
    async (name, value, problem) => {
      const app = start({ [name]: value });
      expect(await app.ended()).toEqual({ code: 1, signal: null });
      expect(app.stdout()).toBe('');
      expect(app.stderr()).toBe(`${BUILDING}${name}: ${problem}\n`);
    },
    START_MS,
  );
});

describe.each([
  ['npm start', 'sample-app/start.mjs'],
  ['npm test', 'test/run.mjs'],
])('%s on a Node that is too old', (_name, script) => {
  it('says in one line which Node it needs', async () => {
    const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.18.3'}})`;
    const app = startNode(['--import', `data:text/javascript,${pretend}`, script]);
    expect(await app.ended()).toEqual({ code: 1, signal: null });
    expect(app.stdout()).toBe('');
    expect(app.stderr()).toBe(
      'This needs Node ^20.19.0 || ^22.12.0 || >=24.0.0, but runs on 20.18.3: install a newer Node and try again.\n',
    );
  });
});
