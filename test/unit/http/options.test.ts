import { describe, expect, it } from '@jest/globals';
import { httpBackend, memoryBacklog } from 'nestjs-tracking/http';
import { compressions, compressed } from '../../../lib/http/compression.js';
import type { Compression } from '../../../lib/http/compression.js';
import { jsonEncoder } from '../../../lib/formats/json.encoder.js';
import { httpSettings } from '../../../lib/http/http-settings.js';
import { requestUrl, shownUrl } from '../../../lib/http/shown-url.js';
import { record, untyped } from '../../support/recording.js';

const url = 'https://collector.example/in';
const open = (): undefined => undefined;

function problemsOf(options: unknown): string {
  try {
    httpBackend(untyped(options));
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('the options of httpBackend', () => {
  it.each<[unknown, string]>([
    [undefined, 'expected options to be an object, got undefined'],
    [{}, 'url: expected an http or https URL'],
    [{ url: 'ftp://x' }, 'url: expected an http or https URL'],
    [{ url: 7 }, 'url: expected an http or https URL'],
    [{ url, urls: 1 }, 'urls is not an option'],
    [{ url, format: 'xml' }, 'expected format to be an encoder or one of json'],
    [{ url, format: {} }, 'expected format to be'],
    [{ url, headers: 'x' }, 'headers: expected an object of texts'],
    [{ url, headers: { 'a b': 'x' } }, 'headers["a b"]'],
    [{ url, headers: { a: 'x\r\ny' } }, 'headers["a"]'],
    [{ url, headers: { a: 'caf\u20ac' } }, 'headers["a"]'],
    [{ url, headers: { 'Content-Length': '5' } }, 'headers["Content-Length"]'],
    [{ url, auth: { bearer: 'caf\u20ac' } }, 'auth.bearer: expected'],
    [{ url, auth: { apiKey: { key: '' } } }, 'auth.apiKey.key: expected'],
    [
      { url, auth: { apiKey: { key: 'k', header: 'X Key' } } },
      'auth.apiKey.header: expected the name of a header',
    ],
    [{ url, auth: { hmac: { secret: 's', header: '' } } }, 'auth.hmac.header: expected the name of a header'],
    [{ url, auth: 'token' }, 'auth: expected a function or one of'],
    [{ url, auth: { bearer: 'a', basic: {} } }, 'auth: expected'],
    [{ url, auth: { digest: {} } }, 'auth: expected'],
    [{ url, auth: { bearer: '' } }, 'auth.bearer: expected a non-empty text of Latin 1 on one line'],
    [{ url, auth: { basic: 'x' } }, 'auth.basic: expected an object'],
    [{ url, auth: { basic: { username: 'x' } } }, 'auth.basic.password'],
    [
      { url, auth: { basic: { username: '', password: '' } } },
      'auth.basic.username: expected a non-empty text',
    ],
    [
      { url, auth: { basic: { username: 'x', password: 'a\nb' } } },
      'auth.basic.password: expected a text on one line',
    ],
    [{ url, auth: { hmac: { key: 'x' } } }, 'auth.hmac.key is not an option'],
    [{ url, auth: { apiKey: { key: 'x', header: 1 } } }, 'auth.apiKey.header'],
    [{ url, batch: { maxEvents: -5 } }, 'expected batch.maxEvents to be a positive integer, got -5'],
    [{ url, batch: 5 }, 'expected batch to be an object, got 5'],
    [{ url, batch: { partitionBy: 'x' } }, 'expected batch.partitionBy'],
    [{ url, retry: { baseMs: -1 } }, 'expected retry.baseMs to be milliseconds'],
    [{ url, retry: { maxAttempts: 0 } }, 'expected retry.maxAttempts'],
    [{ url, retry: { tries: 0 } }, 'retry.tries is not an option'],
    [{ url, concurrency: 0 }, 'expected concurrency to be a positive integer'],
    [{ url, concurrency: { min: 9, max: 3 } }, 'expected concurrency.min'],
    [{ url, timeoutMs: 1.5 }, 'expected timeoutMs to be a positive integer'],
    [{ url, conflict: 'x' }, 'expected conflict to be one of rejected'],
    [{ url, noEmit: 1 }, 'expected noEmit to be true or false'],
    [{ url, testMode: true }, 'expected testMode to be { path }'],
    [{ url, compression: 'lzma' }, 'expected compression to be one of gzip'],
    [{ url, onDeadLetter: 1 }, 'expected onDeadLetter to be a function'],
    [{ url, backlog: {} }, 'expected backlog to be a backlog'],
    [{ url, dispatcher: {} }, 'expected dispatcher to be a dispatcher'],
    [{ url, tls: 1 }, 'tls: expected an object'],
    [{ url, tls: { ca: 5 } }, 'tls: cannot be used: '],
    [{ url, tls: { key: 'no key' } }, 'tls: cannot be used: '],
    [{ url, tls: { servername: 5 } }, 'tls.servername: expected a string'],
    [{ url, tls: { passphrase: 5 } }, 'tls.passphrase: expected a string'],
    [
      { url, tls: { rejectUnauthorized: 'no' } },
      'expected tls.rejectUnauthorized to be true or false, got "no"',
    ],
    [{ url, testMode: { path: '/t', on: 1 } }, 'testMode.on is not an option'],
    [{ url, backlog: { open, append: open, lease: open, close: open } }, 'expected backlog to be a backlog'],
    [{ url, format: { encode: open } }, 'expected format.name to be a string, got undefined'],
    [
      { url, format: { name: 'x', encode: open, groupBy: 'name' } },
      'expected format.groupBy to be a function, got "name"',
    ],
    [
      { url, format: { name: 'x', encode: open, maxBytes: 0 } },
      'expected format.maxBytes to be a positive integer, got 0',
    ],
    [
      { url, format: { name: 'x', encode: open, joined: { before: '' } } },
      'expected format.joined to be { before, between, after, contentType }',
    ],
  ])('%j are refused', (options, problem) => {
    expect(problemsOf(options)).toContain(problem);
  });

  it('are refused with every problem at once, and without secrets', () => {
    const message = problemsOf({
      ...{ url: 'nowhere?key=hush', timeoutMs: 0, auth: { hush: 1 } },
      headers: { 'x-key': 'hush\n' },
    });
    expect(message.split('\n')).toHaveLength(5);
    expect(message).not.toContain('hush');
  });

  it('may be as many as there are', () => {
    expect(
      problemsOf({
        ...{ url: new URL(url), format: 'ndjson', compression: 'br' },
        ...{ auth: { basic: { username: 'a', password: 'b' } } },
        batch: { maxEvents: 5, maxBytes: 5, maxDelayMs: 0 },
        retry: { maxAttempts: Infinity, maxAgeMs: 5, baseMs: 0, maxDelayMs: 5 },
        ...{ concurrency: { max: 4 }, timeoutMs: 5, noEmit: false },
        ...{ testMode: { path: '/t' }, backlog: memoryBacklog() },
      }),
    ).toBe('');
  });

  it.each([
    [{ max: 1 }, { min: 1, max: 1 }],
    [{ min: 50 }, { min: 50, max: 50 }],
    [{ min: 4 }, { min: 4, max: 32 }],
    [{}, { min: 2, max: 32 }],
    [7, { min: 7, max: 7 }],
  ])('may give one end of the concurrency: %j is %j', (concurrency, range) => {
    expect(httpSettings({ url, concurrency }, jsonEncoder).concurrency).toEqual(range);
    expect(problemsOf({ url, concurrency })).toBe('');
  });

  it('take what a header or a secret may hold', () => {
    const headers = { 'x-place': 'Z\u00fcrich' };
    const auth = { hmac: { secret: 'caf\u20ac', header: 'X-Sig' } };
    expect(problemsOf({ url, headers, auth })).toBe('');
  });

  it('take a URL whose user is badly encoded, as it is', () => {
    const settings = httpSettings({ url: 'http://100%:%zz@x/' }, jsonEncoder);
    expect(settings.auth).toEqual({
      basic: { username: '100%', password: '%zz' },
    });
  });

  it('take a user without a password, as an API key often is', () => {
    const auth = { basic: { username: 'write-key', password: '' } };
    expect(problemsOf({ url, auth })).toBe('');
  });

  it('name what this Node cannot do', () => {
    const known = compressions().includes('zstd');
    const message = problemsOf({ url, compression: 'zstd' });
    expect(message).toContain(known ? '' : 'this Node has no zstd');
    expect(message === '').toBe(known);
  });
});

describe('memoryBacklog', () => {
  it('refuses options with every problem at once', () => {
    expect(() =>
      memoryBacklog(
        untyped({
          ...{ maxEvents: 0, maxBytes: 'x', overflow: 'drop', size: 1 },
          deadLetters: { maxEvents: -1, max: 2 },
        }),
      ),
    ).toThrow(/size(.|\n)*maxEvents(.|\n)*maxBytes(.|\n)*overflow(.|\n)*deadLetters/);
    expect(() => memoryBacklog(untyped(7))).toThrow('an object');
    expect(() => memoryBacklog(untyped({ deadLetters: 7 }))).toThrow(
      'expected deadLetters to be an object, got 7',
    );
  });

  it('belongs to one backend only', () => {
    const backlog = memoryBacklog();
    expect(() => backlog.lease(untyped({}))).toThrow('not open');
    const [a, b] = [0, 1].map(() => httpBackend({ url, backlog }));
    expect(() => record({ backends: { a: a!, b: b! } })).toThrow(
      'backends.b: attaching it failed: a memoryBacklog() belongs to one backend only',
    );
  });
});

describe('an httpBackend without a tracker', () => {
  it('takes no events, and has nothing to do', async () => {
    const backend = httpBackend({ url });
    expect(() => backend.send(untyped({}))).toThrow('backend of a tracker');
    await backend.flush?.();
    await backend.close?.();
    expect(backend.stats()).toMatchObject({ accepted: 0, state: 'ok' });
  });
});

describe('a URL', () => {
  it('is shown without user, query and fragment', () => {
    expect(shownUrl(new URL('https://a:b@c.d:8/e/f?g=h#i'))).toBe('https://c.d:8/e/f');
  });

  it.each([
    [undefined, 'https://c.d/e?g=h'],
    ['bulk', 'https://c.d/e/bulk?g=h'],
    ['/bulk', 'https://c.d/e/bulk?g=h'],
    ['?data=x%3D', 'https://c.d/e?g=h&data=x%3D'],
  ])('with %p behind its path', (path, expected) => {
    expect(requestUrl(new URL('https://c.d/e?g=h'), path).href).toBe(expected);
  });
});

describe('compression', () => {
  it('fails loudly where this Node cannot', async () => {
    await expect(compressed('x', 'lzma' as Compression)).rejects.toThrow('cannot compress');
  });
});
