/** `npm start`: installs what is missing, builds, and becomes the sample app. */
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { fail, prepare, root, runNode, say } from '../test/support/prepare.mjs';

prepare();
say('Building the package and the sample app ...');
const exitCode = runNode(['node_modules/typescript/bin/tsc', '-b', 'sample-app']);
if (exitCode !== 0) {
  fail('The build failed: see the lines above.', exitCode);
}
// In this process, not in a child: signals and the exit code are the app's own.
process.setSourceMapsEnabled(true);
process.chdir(root);
await import(pathToFileURL(path.join(root, 'sample-app/dist/main.js')).href);
