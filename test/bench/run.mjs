/*
 * `npm run bench`, or `npm run bench -- emit --quick`: measures this package beside floors and peers, and prints the
 * tables of the README. Builds the package, and installs the peers (their own package file) when they are missing. It
 * measures the Node that runs it: `path/to/another/node test/bench/run.mjs emit`.
 *
 * A new bench is a line in BENCHES: a function that is given `{ quick }` and returns Markdown.
 */
import { readFileSync, existsSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { differs, fail, npm, prepare, runNode, say } from '../support/prepare.mjs';

const BENCHES = {
  emit: async (options) => (await import('./emit.mjs')).emitReport(options),
  requests: async (options) => (await import('./requests.mjs')).requestsReport(options),
  delivery: async (options) => (await import('./delivery/report.mjs')).deliveryReport(options),
  lmdb: async (options) => (await import('./lmdb/report.mjs')).lmdbReport(options),
  metrics: async (options) => (await import('./metrics/report.mjs')).metricsReport(options),
};

const here = fileURLToPath(new URL('.', import.meta.url));
const readJson = (file) => JSON.parse(readFileSync(`${here}/${file}`, 'utf8'));

/** The peers beside which this package is measured. */
function installPeers() {
  const installed = 'node_modules/.package-lock.json';
  if (existsSync(`${here}/${installed}`) && !differs(readJson('package-lock.json'), readJson(installed))) {
    return;
  }
  say('Installing the peers of test/bench with "npm ci" ...');
  if (npm(['ci', '--no-audit', '--no-fund'], here).status !== 0) {
    fail('"npm ci" in test/bench failed: see the lines above.');
  }
}

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => arg !== '--quick');
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  fail(`There is no bench named ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
}

prepare();
installPeers();
if (runNode(['node_modules/typescript/bin/tsc', '-b', 'lib']) !== 0) {
  fail('The package does not build: see the lines above.');
}
say(`\nNode ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}`);
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  say(`\n## ${name}\n`);
  say(await BENCHES[name]({ quick }));
}
