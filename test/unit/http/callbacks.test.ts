import { describe, expect, it } from '@jest/globals';
import { httpSettings } from '../../../lib/http/http-settings.js';
import { secretsOf, withoutSecrets } from '../../../lib/http/secrets.js';
import type { HttpBackendOptions } from '../../../lib/http/http-options.js';
import { jsonEncoder } from '../../../lib/formats/json.encoder.js';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import type { EncodedBatch, Encoder } from '../../../lib/formats/encoder.js';
import { httpBackend } from '../../../lib/http/http-backend.js';
import { record } from '../../support/recording.js';

const url = 'http://127.0.0.1:9/';

describe('functions that an httpBackend calls', () => {
  it('may fail: the stream of an event is then "other", and it is told', async () => {
    const run = record({
      backends: {
        http: httpBackend({
          ...{ url, noEmit: true },
          batch: {
            partitionBy: () => {
              throw new Error('no stream');
            },
          },
        }),
      },
    });
    run.tracker.emit('a');
    await run.clock.advance(1_001);
    expect(run.tracker.stats().backends['http']).toMatchObject({
      delivered: 1,
    });
    expect(run.reports).toMatchObject([
      { code: 'callback_failed', path: 'http', message: 'partitionBy failed' },
    ]);
  });

  it('of a format keep their this, and see every event', async () => {
    const encoded: string[][] = [];
    const format: Encoder & { readonly mark: string } = {
      ...{ name: 'own', mark: '!' },
      encode: (batch) => {
        encoded.push(batch.map(({ name }) => name));
        return { body: '', contentType: 'text/plain' };
      },
      accept(event) {
        return { ...event, name: event.name + this.mark };
      },
      groupBy(event) {
        return this.mark + event.name;
      },
      partitionBy() {
        return this.mark;
      },
    };
    const run = record({
      backends: { http: httpBackend({ url, noEmit: true, format }) },
    });
    for (const name of ['a', 'a', 'b', 'a']) {
      run.tracker.emit(name);
    }
    await run.clock.advance(1_001);
    expect(encoded).toEqual([['a!', 'a!'], ['b!'], ['a!']]);
  });
});

describe('encode of a format', () => {
  it.each<[string, unknown, string]>([
    ['a promise', Promise.reject(new Error('late')), 'a promise'],
    ['nothing', undefined, 'undefined'],
    ['a text', 'body', '"body"'],
    ['no body', { contentType: 'text/plain' }, 'the body undefined'],
    ['another body', { body: { a: 1 }, contentType: 'a/b' }, 'the body an object with a'],
    ['no type', { body: '' }, 'the content type undefined'],
    ['no method', { body: '', contentType: 'a/b', method: 'DROP' }, 'the method "DROP"'],
    ['no path', { body: '', contentType: 'a/b', path: 7 }, 'the path 7'],
    ['no headers', { body: '', contentType: 'a/b', headers: 'x' }, 'the headers "x"'],
  ])('that answers %s makes dead letters, and says why', async (_, answer, what) => {
    const run = record({
      backends: {
        http: httpBackend({
          ...{ url, noEmit: true },
          format: { name: 'own', encode: () => answer as EncodedBatch },
        }),
      },
    });
    run.tracker.emit('a');
    run.tracker.emit('b');
    await run.clock.advance(1_001);
    const why = `the format cannot express it: encode() of the format own answered ${what}`;
    expect(run.tracker.stats().backends['http']).toMatchObject({
      ...{ delivered: 0, dead: 2, lastError: why },
    });
    expect(run.reports).toMatchObject([
      {
        code: 'dead_letters',
        message: `1 events became dead letters: unencodable (${why})`,
      },
    ]);
  });
});

describe('groupBy of a format', () => {
  it.each<[string, (name: string) => unknown]>([
    [
      'throws',
      (name) => {
        throw new Error(`no group for ${name}`);
      },
    ],
    ['answers a promise', () => Promise.reject(new Error('late'))],
  ])('that %s puts the event into a batch of its own', async (_, fails) => {
    const encoded: string[][] = [];
    const run = record({
      backends: {
        http: httpBackend({
          ...{ url, noEmit: true },
          format: {
            name: 'own',
            encode: (batch) => {
              encoded.push(batch.map(({ name }) => name));
              return { body: '', contentType: 'text/plain' };
            },
            groupBy: ({ name }) => (name === 'bad' ? fails(name) : 'good') as string,
          },
        }),
      },
    });
    for (const name of ['a', 'b', 'bad', 'bad', 'c']) {
      run.tracker.emit(name);
    }
    await run.clock.advance(1_001);
    expect(encoded).toEqual([['a', 'b'], ['bad'], ['bad'], ['c']]);
    expect(run.reports).toMatchObject([
      { code: 'callback_failed', message: 'groupBy failed' },
      { code: 'callback_failed', message: 'groupBy failed' },
    ]);
  });
});

describe('accept of a format', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no number');
      },
    ],
    ['answers no event', () => undefined],
    ['answers a promise', () => Promise.reject(new Error('late'))],
    ['answers another event', () => ({ id: 'other', context: {} })],
  ])('that %s leaves the event as it is, and is told', async (_, accept) => {
    const encoded: unknown[] = [];
    const run = record({
      backends: {
        http: httpBackend({
          ...{ url, noEmit: true },
          format: {
            name: 'own',
            encode: (batch) => {
              encoded.push(...batch);
              return { body: '', contentType: 'text/plain' };
            },
            accept: accept as () => TrackingEvent,
          },
        }),
      },
    });
    run.tracker.emit('a');
    await run.clock.advance(1_001);
    expect(encoded).toMatchObject([{ name: 'a' }]);
    expect(run.reports).toMatchObject([
      { code: 'callback_failed', message: 'accept() of the format failed' },
    ]);
  });

  it('is undone for what is refused, however that fails', async () => {
    const run = record({
      backends: {
        http: httpBackend({
          ...{ url, noEmit: true },
          backlog: memoryBacklog({ maxEvents: 1, overflow: 'dropNewest' }),
          format: {
            name: 'own',
            encode: () => ({ body: '', contentType: 'text/plain' }),
            accept: (event) => ({ ...event, context: { n: 1 } }),
            takeBack: ([event]) => {
              throw new Error(`no ${event?.name}`);
            },
          },
        }),
      },
    });
    run.tracker.emit('a');
    run.tracker.emit('b');
    expect(run.reports).toMatchObject([
      { code: 'callback_failed', error: { message: 'no b' } },
      { code: 'overflow' },
    ]);
    await run.clock.advance(1_001);
  });
});

describe('what must not be shown', () => {
  it.each<[HttpBackendOptions['auth'], string[]]>([
    [{ basic: { username: 'u', password: 'password' } }, ['password']],
    [{ bearer: 'token' }, ['token']],
    [{ apiKey: { key: 'the-key' } }, ['the-key']],
    [{ hmac: { secret: 'secret' } }, ['secret']],
    [() => ({}), []],
    [undefined, []],
  ])('of %j is known', (auth, secrets) => {
    const options = { url, ...(auth === undefined ? {} : { auth }) };
    expect(secretsOf(httpSettings(options, jsonEncoder))).toEqual(secrets);
  });

  it('is also what stands in the query and in a header', () => {
    const settings = httpSettings(
      { url: `${url}?key=longer-one&v=1`, headers: { Authorization: 'short' } },
      jsonEncoder,
    );
    expect(secretsOf(settings)).toEqual(['longer-one', 'short']);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['credentials', { Authorization: 'Bearer t0ken' }, ['Bearer t0ken', 't0ken']],
    [
      'users and passwords',
      { 'Proxy-Authorization': 'Basic YW5uYTpwYTpzcw==' },
      ['Basic YW5uYTpwYTpzcw==', 'YW5uYTpwYTpzcw==', 'pa:ss', 'anna'],
    ],
    ['keys', { 'X-Api-Key': 'abcd' }, ['abcd']],
    ['cookies', { cookie: 'sid=s3ssion; theme=dark' }, ['s3ssion', 'dark']],
    ['what looks like a key under any name', { 'x-acme': '9f8e7d6c5b4a39281706' }, ['9f8e7d6c5b4a39281706']],
    [
      'nothing harmless',
      {
        ...{ 'x-region': 'eu-west-1', accept: 'application/json' },
        ...{ 'x-amz-date': '2026-01-01T00:00:00.000Z', 'x-tenant': 'acme' },
        'x-sdk': 'nestjs-tracking of the shop',
      },
      [],
    ],
  ])('are headers with %s', (_, headers, secrets) => {
    const plain = httpSettings({ url }, jsonEncoder);
    const shown = [secretsOf(httpSettings({ url, headers }, jsonEncoder)), secretsOf(plain, headers)];
    for (const found of shown) {
      expect(found.filter((one) => !one.includes('%'))).toEqual(expect.arrayContaining(secrets));
      expect(secrets.length > 0 || found.length === 0).toBe(true);
    }
  });

  it('may hold half a character', () => {
    const basic = { username: 'key\ud800', password: '' };
    const settings = httpSettings({ url, auth: { basic } }, jsonEncoder);
    expect(withoutSecrets('no key\ud800 here', settings)).toBe('no *** here');
  });

  it('is hidden as it stands in a URL and in JSON, too', () => {
    const settings = httpSettings({ url: `${url}?sig=a%2Fb%2Bc`, auth: { bearer: 'to"ken' } }, jsonEncoder);
    expect(withoutSecrets('/?sig=a%2Fb%2Bc a/b+c {"got":"to\\"ken"}', settings)).toBe(
      '/?sig=*** *** {"got":"***"}',
    );
  });
});
