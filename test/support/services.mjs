/** The servers that tests start themselves: installed here when they are missing, so that no test has to be skipped. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fail, say } from './prepare.mjs';

/** Each by its command, with the package of Debian that has it. */
const SERVICES = { 'redis-server': 'redis-server' };

export function prepareServices() {
  const missing = Object.keys(SERVICES).filter((command) => !isThere(command, ['--version']));
  if (missing.length === 0) {
    return;
  }
  const packages = missing.map((command) => SERVICES[command]);
  const names = packages.join(' ');
  if (!isThere('apt-get', ['--version']) || process.getuid?.() !== 0) {
    fail(
      `The tests need ${missing.join(', ')}: install it (on Debian and Ubuntu "sudo apt-get install ${names}") and try again.`,
    );
  }
  say(`Installing ${names} with apt-get, which tests need ...`);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  for (const args of [['update'], install]) {
    const { status, error } = spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (error || status !== 0) {
      fail(
        `"apt-get ${args[0]}" failed (${error ? error.message : `exit code ${status}`}): see the lines above.`,
      );
    }
  }
}

function isThere(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
