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

const DEFAULTS = { PORT: '0', REDIS_URL: '', COLLECTOR_URL: '' };

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
    const [, url = ''] = await app.said(/runs on (http:\S+), [^]*by=week'\n/);
    return { app, url };
  };

  const other = createServer();
  let taken: string;

  beforeAll(async () => {
    dataDir = temporaryFolder();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    taken = String((other.address() as AddressInfo).port);
  });

  afterEach(() => {
    started.splice(0).forEach((app) => {
      app.kill('SIGKILL');
    });
  });

  afterAll(() => {
    other.close();
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
      expect(stdout).toContain('[{"of":"all","donations":1,"amountCents":2500,"donors":1,');
      await eventually(() => {
        expect(eventsOf(app)).toHaveLength(4);
      });
      const names = ['donor.signed_in', 'payment.charged', 'donation.received', 'stats.viewed'];
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
        });
      }
      const [signedIn, ...donation] = eventsOf(app).slice(0, 3);
      for (const { context } of donation) {
        expect(context).toMatchObject({
          user: signedIn?.context['user'],
          session: { id: expect.any(String) },
        });
      }
      // Nothing went wrong, and nothing more is said than the greeting.
      expect(app.stderr().startsWith(`${BUILDING}\nThe donation`)).toBe(true);
      expect(app.stderr()).not.toMatch(/warn|error/i);

      const [signIn = '', donate = ''] = commands;
      await run('sh', ['-ec', [signIn, donate, donate].join('\n')]);
      await app.said(/backend_failed at sponsor\/wall/);
      app.kill('SIGTERM');
      expect(await app.ended()).toEqual({ code: null, signal: 'SIGTERM' });
      // All of it is JSON, and the sponsor's failure took nothing away.
      expect(
        eventsOf(app)
          .map(({ name }) => name)
          .slice(names.length),
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
    'ends by Ctrl-C although a connection stays open',
    async () => {
      const { app, url } = await startApp();
      const { hostname, port } = new URL(url);
      const silent = connect(Number(port), hostname);
      await once(silent, 'connect');
      expect((await fetch(`${url}/runs`)).status).toBe(200);
      app.kill('SIGINT');
      const reset = once(silent, 'close').catch(() => undefined);
      expect(await app.ended()).toEqual({ code: null, signal: 'SIGINT' });
      await reset;
    },
    START_MS,
  );

  it.each([
    ['the port is taken', () => ({ PORT: taken }), 'listen EADDRINUSE: address already in use'],
    ['PORT is not a number', () => ({ PORT: '80a' }), 'options.port should be >= 0 and < 65536'],
    [
      'DATA_DIR is a file',
      () => ({ DATA_DIR: 'package.json' }),
      "EEXIST: file already exists, mkdir 'package",
    ],
  ])(
    'ends with an error that says that %s',
    async (_what, env, message) => {
      const app = start(env());
      expect(await app.ended()).toEqual({ code: 1, signal: null });
      expect(app.stdout()).toBe('');
      expect(app.stderr()).toContain(message);
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
