import process from 'node:process';

/** Prints one plain closing line, for CI logs: "5 passed, 0 failed, 0 skipped". */
export default class PlainReporter {
  onRunComplete(_contexts, results) {
    // A file that does not even load counts as one failure, a `todo` as skipped: neither was tested.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
