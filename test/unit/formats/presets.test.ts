import { describe, expect, it } from '@jest/globals';
import { atomPreset } from '../../../lib/formats/atom.preset.js';
import type { DeliveryPreset } from '../../../lib/formats/delivery-preset.js';
import { gdqPreset } from '../../../lib/formats/gdq.preset.js';
import { paltabrainPreset } from '../../../lib/formats/paltabrain.preset.js';
import { segmentPreset } from '../../../lib/formats/segment.preset.js';
import { bodyText, INFO } from '../../support/encoder-contract.js';
import { untyped } from '../../support/recording.js';
import { eventOf, thrownBy } from '../processors/events.js';

function bodyOf({ format }: DeliveryPreset): string {
  return bodyText(format.encode([eventOf()], INFO));
}

describe('segmentPreset', () => {
  it('posts to Segment, the write key as the user', () => {
    const { format, ...preset } = segmentPreset({ writeKey: 'w' });
    expect(preset).toStrictEqual({
      url: 'https://api.segment.io/v1/batch',
      auth: { basic: { username: 'w', password: '' } },
    });
    expect(format.name).toBe('segment');
  });

  it('posts elsewhere, with the options of the format', () => {
    const url = 'https://rudder.example/v1/batch';
    const map = (): object => ({ mapped: true });
    const preset = segmentPreset({ writeKey: 'w', url, map, sentAt: false });
    expect(preset.url).toBe(url);
    expect(bodyOf(preset)).toBe('{"batch":[{"mapped":true}]}');
  });

  it('lists all problems at once, and shows no secret', () => {
    const options = {
      writeKey: { key: 's3cret' },
      url: 'ftp://user:s3cret@x/batch?key=s3cret',
      map: 1,
      batch: {},
    };
    expect(thrownBy(() => segmentPreset(untyped(options)))).toBe(
      [
        'the options of segmentBackend() are wrong:',
        '  - batch is not an option; known are writeKey, url, map, sentAt',
        '  - writeKey: expected a non-empty string, got object',
        '  - expected url to be a URL of http or https, got "…@x/batch"',
        '  - expected map to be a function, got 1',
      ].join('\n'),
    );
  });
});

describe('gdqPreset', () => {
  it('has the places of the ancestor', () => {
    const { format, ...preset } = gdqPreset();
    expect(preset).toStrictEqual({
      url: 'http://localhost:5000/track',
      testPath: '/test',
      testMode: false,
      latestUrl: 'http://localhost:5000/latest',
    });
    expect(format.name).toBe('gdq');
  });

  it('takes other places, and the options of the format', () => {
    const preset = gdqPreset({
      host: 'https://gdq.example/api/',
      path: '/in',
      testPath: '/try',
      latestPath: '/stats',
      metadata: false,
    });
    expect(preset).toMatchObject({
      url: 'https://gdq.example/api/in',
      testPath: '/api/try',
      latestUrl: 'https://gdq.example/api/stats',
    });
    expect(bodyOf(preset)).toBe('[{"event_name":"order.created","properties":{}}]');
  });

  it('lists all problems at once', () => {
    const options = {
      host: 7,
      path: 'track',
      latestPath: 1,
      metadata: 0,
      testMode: 1,
    };
    expect(thrownBy(() => gdqPreset(untyped(options)))).toBe(
      [
        'the options of gdqBackend() are wrong:',
        '  - expected host to be a URL of http or https, got 7',
        `  - expected path to be a path that begins with '/', got "track"`,
        "  - expected latestPath to be a path that begins with '/', got 1",
        '  - expected testMode to be true or false, got 1',
        '  - expected metadata to be a non-empty string or false, got 0',
      ].join('\n'),
    );
  });
});

describe('atomPreset', () => {
  it('posts to the service, by https', () => {
    const { format, ...preset } = atomPreset();
    expect(preset).toStrictEqual({ url: 'https://track.atom-data.io/' });
    expect(format.name).toBe('atom');
  });

  it('posts elsewhere, with the options of the format', () => {
    const preset = atomPreset({
      endpoint: 'http://atom.example/',
      stream: () => 'all',
      authKey: 'k',
      send: 'post',
      bulkItems: 'texts',
      metadata: false,
    });
    expect(preset.url).toBe('http://atom.example/');
    expect(bodyOf(preset)).toMatch(/^{"table":"all","data":"{}","auth":"[0-9a-f]{64}"}$/);
  });

  it('lists all problems at once', () => {
    const options = { endpoint: 'atom.example', send: 'put', auth: 1 };
    expect(thrownBy(() => atomPreset(untyped(options)))).toBe(
      [
        'the options of atomBackend() are wrong:',
        '  - auth is not an option; known are endpoint, stream, authKey, send, bulkItems, metadata',
        '  - expected endpoint to be a URL of http or https, got "atom.example"',
        "  - expected send to be 'bulk' or 'post' or 'get', got \"put\"",
      ].join('\n'),
    );
  });
});

describe('paltabrainPreset', () => {
  it('posts to the host by https, with the key in its header', () => {
    const { format, ...preset } = paltabrainPreset({
      hostname: 'api.example:8443',
      apiKey: 'k',
    });
    expect(preset).toStrictEqual({
      url: 'https://api.example:8443/v2/paltabrain',
      auth: { apiKey: { key: 'k', header: 'X-API-Key' } },
    });
    expect(format.name).toBe('paltabrain');
  });

  it('hands the options of the format on', () => {
    const preset = paltabrainPreset({
      hostname: 'api.example',
      apiKey: 'k',
      instanceId: 'me',
      contextKeys: [],
    });
    expect(bodyOf(preset)).toContain('me');
  });

  it.each([
    ...['', 'https://api.example', 'api.example/v2', 'a b', 'u:p@api.example'],
    ...['x?y', 'x#y', 'x:port', 7],
  ])('refuses %j as the host', (hostname) => {
    const options = { hostname: untyped<string>(hostname), apiKey: 'k' };
    expect(thrownBy(() => paltabrainPreset(options))).toContain(
      'expected hostname to be a host, such as api.example.com, got',
    );
  });

  it('lists all problems at once', () => {
    const options = { apiKey: '', contextKeys: 'a' };
    expect(thrownBy(() => paltabrainPreset(untyped(options)))).toBe(
      [
        'the options of paltabrainBackend() are wrong:',
        '  - expected hostname to be a host, such as api.example.com, got undefined',
        '  - apiKey: expected a non-empty string, got an empty one',
        '  - expected contextKeys to be an array of strings, got "a"',
      ].join('\n'),
    );
  });
});
