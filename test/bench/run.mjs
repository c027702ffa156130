/*
 * `npm run bench`, or `npm run bench -- emit --quick`: measures this package beside floors and peers, and prints the
 * tables of the README. Builds the package, and installs the peers (their own package file) when they are missing.
 *
 * A new bench is a line in BENCHES: a function that is given `{ quick }` and answers Markdown.
 */
import { cpus } from 'node:os';
import process from 'node:process';
import { fail, say } from '../support/prepare.mjs';
import { build, installPeers } from './prepare.mjs';

const BENCHES = {
  emit: async (options) => (await import('./emit/report.mjs')).emitReport(options),
  requests: async (options) => (await import('./requests/report.mjs')).requestsReport(options),
  delivery: async (options) => (await import('./delivery/report.mjs')).deliveryReport(options),
  lmdb: async (options) => (await import('./lmdb/report.mjs')).lmdbReport(options),
  metrics: async (options) => (await import('./metrics/report.mjs')).metricsReport(options),
};

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => arg !== '--quick');
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  fail(`There is no bench named ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
}

installPeers();
build();
say(`\nNode ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}`);
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  say(`\n## ${name}\n`);
  say(await BENCHES[name]({ quick }));
}
