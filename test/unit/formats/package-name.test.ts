import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../../lib/formats/package-name.js';

it('tells destinations the name and version of package.json', () => {
  const { name, version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as Record<string, string>;
  expect([PACKAGE_NAME, PACKAGE_VERSION]).toStrictEqual([name, version]);
});
