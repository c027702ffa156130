import { describe, expect, it } from '@jest/globals';
import type { IncomingRequest } from '../../../lib/express/incoming-request.js';
import { requestFacts, routeOf } from '../../../lib/express/request-facts.js';
import type { RequestSource } from '../../../lib/express/request-options.js';

function factsOf(raw: Partial<IncomingRequest>, source: RequestSource = {}, withIp = false): unknown {
  return requestFacts('an-id', { headers: {}, ...raw }, source, withIp);
}

describe('the facts of a request', () => {
  it('are what Node and the framework know of it', () => {
    expect(
      factsOf(
        {
          method: 'POST',
          url: '/7?token=secret',
          originalUrl: '/orders/7?token=secret',
          headers: {
            host: 'shop.example',
            'user-agent': 'curl/8',
            referer: 'https://example.com/cart?code=secret#part',
          },
        },
        { route: { path: '/:id' }, baseUrl: '/orders', ip: '10.0.0.1' },
        true,
      ),
    ).toStrictEqual({
      id: 'an-id',
      method: 'POST',
      path: '/orders/7',
      route: '/orders/:id',
      host: 'shop.example',
      userAgent: 'curl/8',
      referer: 'https://example.com/cart',
      ip: '10.0.0.1',
    });
  });

  it('leave out what is not known', () => {
    expect(factsOf({})).toStrictEqual({ id: 'an-id' });
  });

  it('read the url where no framework kept the original', () => {
    expect(factsOf({ url: '/a#b' })).toStrictEqual({ id: 'an-id', path: '/a' });
  });

  it.each([
    ['http://ann:secret@shop.example/a?b', 'http://shop.example/a'],
    ['http://a@b:c@shop.example/a@b', 'http://shop.example/a@b'],
    ['/users/ann@example.com', '/users/ann@example.com'],
    ['//ann@example.com/x', '//ann@example.com/x'],
  ])('show the path of %s as %s', (url, path) => {
    expect(factsOf({ url })).toStrictEqual({ id: 'an-id', path });
  });

  it('carry no credentials of the referer', () => {
    const headers = { referer: 'HTTPS://ann:secret@example.com/cart' };
    expect(factsOf({ headers })).toStrictEqual({
      id: 'an-id',
      referer: 'HTTPS://example.com/cart',
    });
  });

  it('take the host of HTTP/2', () => {
    const headers = { ':authority': 'shop.example' };
    expect(factsOf({ headers })).toStrictEqual({
      id: 'an-id',
      host: 'shop.example',
    });
  });

  it('are cut at 512 characters each', () => {
    const headers = { 'user-agent': 'x'.repeat(513), host: 'y'.repeat(512) };
    expect(factsOf({ url: `/${'z'.repeat(600)}`, headers })).toStrictEqual({
      id: 'an-id',
      path: `/${'z'.repeat(511)}`,
      host: 'y'.repeat(512),
      userAgent: 'x'.repeat(512),
    });
  });

  it('hold no list of values', () => {
    const headers = { 'user-agent': ['a', 'b'], referer: ['c'] };
    expect(factsOf({ headers })).toStrictEqual({ id: 'an-id' });
  });

  it('tell the address only when asked to', () => {
    const source: RequestSource = { ip: '10.0.0.1' };
    expect(factsOf({}, source)).toStrictEqual({ id: 'an-id' });
  });

  it('tell the address of the socket where no framework tells one', () => {
    const source: RequestSource = { socket: { remoteAddress: '127.0.0.1' } };
    expect(factsOf({}, source, true)).toStrictEqual({
      id: 'an-id',
      ip: '127.0.0.1',
    });
  });
});

describe('the route of a request', () => {
  it.each<[string, RequestSource, string | undefined]>([
    ['none', {}, undefined],
    ['Express', { route: { path: '/a/:b' } }, '/a/:b'],
    ['a router', { route: { path: '/:b' }, baseUrl: '/a' }, '/a/:b'],
    ['an odd base', { route: { path: '/b' }, baseUrl: 7 }, '/b'],
    ['a RegExp', { route: { path: /^\/a$/ } }, '/^\\/a$/'],
    ['a list', { route: { path: ['/a', /b/] } }, '/a,/b/'],
    ['a route without a path', { route: {} }, undefined],
    ['an odd route', { route: { path: 7 }, baseUrl: '/a' }, '/a'],
    ['Fastify', { routeOptions: { url: '/a/:b' } }, '/a/:b'],
    ['no match of Fastify', { routeOptions: {} }, undefined],
  ])('of %s', (_what, source, route) => {
    expect(routeOf({ headers: {} }, source)).toBe(route);
  });
});
