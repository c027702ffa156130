/** What `npm start` and `npm test` do before anything is installed: Node's own modules only, nothing newer than ESM. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Ends the process with one line. */
export function fail(line, exitCode = 1) {
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}

/** On standard error: what the sample app writes to standard output is for other programs. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Checks Node's version and installs the dependencies when they are missing or older than the lock file. */
export function prepare() {
  const { engines } = readJson('package.json');
  if (!satisfies(process.versions.node, engines.node)) {
    fail(
      `This needs Node ${engines.node}, but runs on ${process.versions.node}: install a newer Node and try again.`,
    );
  }
  const reason = whyInstall();
  if (reason !== undefined) {
    install(reason);
  }
}

/** Runs a script of node_modules with this Node; answers its exit code. */
export function runNode(args) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) {
    fail(`Could not run ${args.join(' ')}: ${error.message}`);
  }
  // A signal leaves no exit code.
  return status ?? 1;
}

/**
 * Knows what package.json uses: `^a.b.c` and `>=a.b.c`, joined by `||`. The semver package is not there yet.
 * A pre-release counts as the version that it precedes.
 */
export function satisfies(version, range) {
  const actual = numbers(version);
  return range.split('||').some((part) => {
    const wanted = numbers(part);
    return compare(actual, wanted) >= 0 && (!part.trim().startsWith('^') || actual[0] === wanted[0]);
  });
}

/** Compares by content: times change with every checkout, copy and restored cache. */
export function differs(wanted, installed) {
  return Object.entries(wanted.packages).some(([place, { version, optional }]) => {
    if (place === '') {
      return false;
    }
    const found = installed.packages[place];
    // npm leaves out the optional packages of other platforms.
    return found === undefined ? !optional : found.version !== version;
  });
}

function whyInstall() {
  if (!existsSync(path.join(root, 'node_modules/.package-lock.json'))) {
    return 'nothing is installed yet';
  }
  return differs(readJson('package-lock.json'), readJson('node_modules/.package-lock.json'))
    ? 'node_modules differs from package-lock.json'
    : undefined;
}

function install(reason) {
  say(`Installing the dependencies with "npm ci" (${reason}) ...`);
  const { status, error } = npm([
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    // Nest's own tools ask for a newer Node than they need: a dozen warnings that tell nobody anything.
    '--loglevel=error',
  ]);
  if (error || status !== 0) {
    fail(`"npm ci" failed (${error ? error.message : `exit code ${status}`}): see the lines above.`);
  }
}

/** Runs npm in a folder, by default the root. */
export function npm(args, cwd = root) {
  // Its standard output joins our standard error.
  const options = { cwd, stdio: ['inherit', 2, 'inherit'] };
  const cli = process.env.npm_execpath;
  // The npm that called us, whatever PATH says; without it Windows finds npm.cmd only through a shell.
  return cli?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [cli, ...args], options)
    : spawnSync('npm', args, {
        ...options,
        shell: process.platform === 'win32',
      });
}

function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}

function numbers(version) {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}

function compare(a, b) {
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
