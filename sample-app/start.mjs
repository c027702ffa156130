/** `npm start`: installs what is missing, builds, and becomes the sample app. */
import process from 'node:process';
import { fail, prepare, runNode, say } from '../test/support/prepare.mjs';

prepare();
say('Building the package and the sample app ...');
const exitCode = runNode(['node_modules/typescript/bin/tsc', '-b', 'sample-app']);
if (exitCode !== 0) {
  fail('The build failed: see the lines above.', exitCode);
}
// In this process, not in a child: signals and the exit code are the app's own.
process.setSourceMapsEnabled(true);
await import('./dist/main.js');
