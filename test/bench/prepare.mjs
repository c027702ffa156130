import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { differs, fail, npm, prepare, runNode, say } from '../support/prepare.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const readJson = (file) => JSON.parse(readFileSync(`${here}/${file}`, 'utf8'));

/** The root's packages, and the peers beside which this one is measured. */
export function installPeers() {
  prepare();
  const installed = 'node_modules/.package-lock.json';
  if (existsSync(`${here}/${installed}`) && !differs(readJson('package-lock.json'), readJson(installed))) {
    return;
  }
  say('Installing the peers of test/bench with "npm ci" ...');
  const { status } = npm(['ci', '--no-audit', '--no-fund'], here);
  if (status !== 0) {
    fail('"npm ci" in test/bench failed: see the lines above.');
  }
}

export function build() {
  if (runNode(['node_modules/typescript/bin/tsc', '-b', 'lib']) !== 0) {
    fail('The package does not build: see the lines above.');
  }
}
