/* An augmentation reaches every file of a program: this one has a program of its own. */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = process.cwd();
const FILE = join(ROOT, 'test', 'types', 'augmented-app.ts');

/**
 * What the compiler says about an app whose only file this is. Not about ours: an app reads our declarations, and our own
 * code, which the compiler reads here, knows nothing of its events.
 */
function compile(source: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => path === FILE || fileExists(path);
  host.getSourceFile = (path, version, onError) =>
    path === FILE ? ts.createSourceFile(path, source, version) : getSourceFile(path, version, onError);
  const program = ts.createProgram([FILE], { ...options, types: ['node'] }, host);
  const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(FILE));
  return problems.map(({ messageText, file, start = 0 }) => {
    const line = file?.text.slice(0, start).split('\n').length ?? 0;
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

describe('an app that declares its events once', () => {
  it('has them known by every tracker without a type parameter', () => {
    const problems = compile(`
import { createTracker } from '../../lib/core/create-tracker.js';
import type { Tracker } from '../../lib/core/tracker.js';
declare module '../../lib/core/tracked-events.js' {
  interface TrackedEvents {
    'donation.received': { amount: number };
    'page.viewed': { path?: string };
  }
}
const tracker: Tracker = createTracker({ backends: {} });
tracker.emit('donation.received', { amount: 5 });
tracker.emit('page.viewed');
tracker.child({}).emit('donation.received', { amount: 5 });
tracker.emit('donation.refused');
tracker.emit('donation.received');
tracker.emit('donation.received', { amount: '5' });
`);
    expect(problems).toStrictEqual([
      expect.stringMatching(/^14: .*'"donation.refused"'/),
      expect.stringMatching(/^15: .*2-3 arguments, but got 1/),
      expect.stringMatching(/^16: Type 'string' is not assignable to type 'number'/),
    ]);
  });

  it('and one that declares none has names and payloads free', () => {
    expect(
      compile(`
import { createTracker } from '../../lib/core/create-tracker.js';
const tracker = createTracker({ backends: {} });
tracker.emit('anything');
tracker.emit('anything', { at: new Date() }, { id: 'x' });
`),
    ).toStrictEqual([]);
  });
});
