import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PackedPackage } from '../support/packed-package.js';
import {
  installConsumer,
  node,
  packPackage,
} from '../support/packed-package.js';

/** Builds, and installs from the registry. */
const INSTALL_MS = 300_000;

describe('apps that install the packed package', () => {
  const folders: string[] = [];
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = await packPackage();
  }, INSTALL_MS);

  afterAll(async () => {
    await Promise.all(
      folders.map((folder) => rm(folder, { recursive: true, force: true })),
    );
    await packed.remove();
  });

  it.each(['nest-11-commonjs', 'nest-12-esm'])(
    '%s compiles and tracks',
    async (name) => {
      const folder = await installConsumer(name, packed.tarball);
      folders.push(folder);
      const printed = await node(folder, 'dist/main.js');
      expect(JSON.parse(printed)).toMatchObject({
        name: 'order.created',
        data: { order: 7 },
        context: { request: { method: 'GET', path: '/orders' } },
      });
    },
    INSTALL_MS,
  );
});
