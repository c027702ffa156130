/** `npm test`: the whole suite with coverage. `npm test -- args`: what jest makes of the arguments. */
import process from 'node:process';
import { prepare, runNode, say } from './support/prepare.mjs';
import { prepareServices } from './support/services.mjs';

prepare();
prepareServices();
const args = process.argv.slice(2);
// A part of the suite covers a part of the code: the thresholds are for the whole.
const coverage = args.length === 0 ? ['--coverage'] : ['--coverageThreshold={}', ...args];
say('Running the tests ...');
process.exitCode = runNode([
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--maxWorkers=2',
  ...coverage,
]);
