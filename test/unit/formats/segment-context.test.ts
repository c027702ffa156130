import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../lib/core/json.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../../lib/formats/package-name.js';
import { segmentContext } from '../../../lib/formats/segment-context.js';

/** What Segment's context has beside what ours has. */
function added(context: JsonObject): JsonObject {
  const { library, ...result } = segmentContext(context);
  expect(library).toStrictEqual({
    name: PACKAGE_NAME,
    version: PACKAGE_VERSION,
  });
  return Object.fromEntries(Object.entries(result).filter(([key, value]) => context[key] !== value));
}

describe('segmentContext', () => {
  it('reads what Segment knows by name in the request', () => {
    const request = {
      id: 'r1',
      method: 'GET',
      ip: '192.0.2.1',
      userAgent: 'curl',
      host: 'shop.example',
      path: '/orders',
      referer: 'https://search.example/',
    };
    expect(added({ request })).toStrictEqual({
      ip: '192.0.2.1',
      userAgent: 'curl',
      page: {
        path: '/orders',
        referrer: 'https://search.example/',
        url: 'https://shop.example/orders',
      },
    });
  });

  it("reads it in event-tracking's flat keys", () => {
    const flat = {
      client_id: 'c1',
      ip: '192.0.2.1',
      agent: 'curl',
      path: '/orders',
      referer: 'https://search.example/',
      page: 'https://shop.example/orders?q=1',
      host: 'other.example',
    };
    expect(segmentContext(flat)).toMatchObject({ ip: '192.0.2.1' });
    expect(added(flat)).toStrictEqual({
      'Google Analytics': { clientId: 'c1' },
      userAgent: 'curl',
      page: {
        path: '/orders',
        referrer: 'https://search.example/',
        url: 'https://shop.example/orders?q=1',
      },
    });
  });

  it('makes a URL of host and path where there is no page', () => {
    expect(added({ host: 'a.example', path: '/b' })).toMatchObject({
      page: { url: 'https://a.example/b' },
    });
    expect(added({ path: '/b' })).toStrictEqual({ page: { path: '/b' } });
    expect(added({ host: 'a.example' })).toStrictEqual({});
  });

  it('keeps everything else as it is', () => {
    const context = { user: { id: 1 }, campaign: { name: 'x' }, list: [1] };
    expect(segmentContext(context)).toMatchObject(context);
    expect(added(context)).toStrictEqual({});
  });

  it("leaves what the app says in Segment's own words alone", () => {
    const context = {
      request: { path: '/api', host: 'a.example' },
      page: { path: '/own', title: 'Own' },
      'Google Analytics': { clientId: 'own' },
      client_id: 'c1',
    };
    expect(added(context)).toStrictEqual({});
    const library = { name: 'own' };
    expect(segmentContext({ library })).toStrictEqual({ library });
  });

  it('ignores what is no text', () => {
    const odd = { ip: 7, path: null, userAgent: [], referer: {}, host: '' };
    expect(added({ request: odd, ...odd, page: 1, client_id: 2 })).toStrictEqual({});
  });
});
