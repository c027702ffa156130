import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../sample-app/src/settings/settings.js';

describe('the settings of the sample app', () => {
  it('have a port and a new token of the admin when nothing is set', () => {
    const { port, adminToken } = readSettings({});
    expect(port).toBe(3000);
    expect(adminToken).toMatch(/^[0-9a-f]{24}$/);
    expect(readSettings({ PORT: '', ADMIN_TOKEN: '' }).port).toBe(3000);
    expect(readSettings({}).adminToken).not.toBe(adminToken);
  });

  it('keep the counters in a folder beside the sources when nothing is set', () => {
    for (const env of [{}, { DATA_DIR: '', REDIS_URL: '' }]) {
      const { dataDir, redisUrl } = readSettings(env);
      expect(dataDir).toMatch(/[/\\]sample-app[/\\]data$/);
      expect(redisUrl).toBeUndefined();
    }
  });

  it('are read from the environment', () => {
    expect(
      readSettings({
        PORT: '65535',
        ADMIN_TOKEN: 'a/b+c-d.e_f~1==',
        DATA_DIR: '/srv/marathon',
        REDIS_URL: 'rediss://:secret@redis.example.org:6380/1',
      }),
    ).toEqual({
      port: 65_535,
      adminToken: 'a/b+c-d.e_f~1==',
      dataDir: '/srv/marathon',
      redisUrl: 'rediss://:secret@redis.example.org:6380/1',
      collectorPort: 65_534,
    });
  });

  it.each([
    [{}, 3001],
    [{ PORT: '8080', COLLECTOR_PORT: '' }, 8081],
    [{ PORT: '65535' }, 65_534],
    [{ PORT: '0' }, 0],
    [{ PORT: '0', COLLECTOR_PORT: '9000' }, 9000],
  ])('have for %j a collector on port %i', (env, port) => {
    expect(readSettings(env).collectorPort).toBe(port);
  });

  it('refuse a COLLECTOR_PORT that is none', () => {
    expect(() => readSettings({ COLLECTOR_PORT: '80a' })).toThrow(
      'COLLECTOR_PORT: expected a number from 0 to 65535, got "80a".',
    );
  });

  it.each(['abc', '-1', '65536', '3.5', '0x10', '1e3', ' 80', '99999999999'])('refuse PORT=%s', (text) => {
    expect(() => readSettings({ PORT: text })).toThrow(
      `PORT: expected a number from 0 to 65535, got ${JSON.stringify(text)}.`,
    );
  });

  it.each(['a b', "a'b", 'a"b', 'a\nb', 'é', '='])('refuse ADMIN_TOKEN=%j, and do not show it', (text) => {
    expect(() => readSettings({ ADMIN_TOKEN: text })).toThrow(
      /^ADMIN_TOKEN: expected letters, digits and -\._~\+\/ only, as an Authorization header takes them\.$/,
    );
  });

  it.each(['localhost:6379', 'http://:secret@127.0.0.1', 'redis://'])(
    'refuse REDIS_URL=%s, and do not show it',
    (text) => {
      expect(() => readSettings({ REDIS_URL: text })).toThrow(
        /^REDIS_URL: expected an address like redis:\/\/127\.0\.0\.1:6379\.$/,
      );
    },
  );
});
