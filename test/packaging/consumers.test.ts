import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PackedPackage } from '../support/packed-package.js';
import { installConsumer, jestOf, node, packPackage } from '../support/packed-package.js';

/** Builds, and installs from the registry. */
const INSTALL_MS = 300_000;

describe('apps that install the packed package', () => {
  const folders = new Map<string, string>();
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = await packPackage();
  }, INSTALL_MS);

  afterAll(async () => {
    await Promise.all([...folders.values()].map((folder) => rm(folder, { recursive: true, force: true })));
    await packed.remove();
  });

  it.each(['nest-11-commonjs', 'nest-12-esm'])(
    '%s compiles and tracks, on Express and on Fastify',
    async (name) => {
      const folder = await installConsumer(name, packed.tarball);
      folders.set(name, folder);
      const played = JSON.parse(await node(folder, 'dist/main.js')) as Record<string, unknown>;
      const route = { request: { method: 'GET', path: '/orders' } };
      const created = {
        name: 'order.created',
        data: { order: 7 },
        context: { ...route, handler: { class: 'OrdersController' } },
      };
      const sent = {
        name: 'invoice.sent',
        data: { invoice: 'for 7' },
        context: { ...route, feature: 'invoices', invoice: { order: 7 } },
      };
      const paid = {
        name: 'order.paid',
        data: { paid: true },
        context: { request: { method: 'POST', route: '/orders/paid' } },
      };
      const said = {
        name: 'chat.said',
        context: { handler: { kind: 'ws', class: 'ChatGateway' } },
      };
      const all = [created, sent, paid, said];
      expect(played).toMatchObject({
        ...{ express: all, fastify: all, existing: all },
        testing: [created, sent],
      });
    },
    INSTALL_MS,
  );

  it(
    'nest-11-commonjs runs its own tests in CommonJS with the recipe of the README',
    async () => {
      const folder = folders.get('nest-11-commonjs') as string;
      expect(await jestOf(folder)).toContain('Tests:       1 passed, 1 total');
    },
    INSTALL_MS,
  );
});
