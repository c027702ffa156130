import { describe, expect, it, jest } from '@jest/globals';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import { startNode } from '../support/started-process.js';

jest.setTimeout(60_000);

const CORE = new URL('../../lib/core.ts', import.meta.url).href;

async function printed(call: string): Promise<string> {
  const child = startNode([
    ...RUN_TYPESCRIPT,
    '--input-type=module',
    '--eval',
    `import { createTracker } from ${JSON.stringify(CORE)};
     const slow = { send: () => new Promise(() => undefined) };
     const tracker = createTracker({ backends: { slow }, onError: () => undefined });
     tracker.emit('x');
     tracker.${call}.then(({ pending }) => console.log(pending));`,
  ]);
  await child.ended();
  return child.stdout().trim();
}

describe('a process that has nothing else to do', () => {
  it.each(['flush({ timeoutMs: 50 })', 'close({ timeoutMs: 50 })'])(
    'does not end before %s does',
    async (call) => {
      expect(await printed(call)).toBe('1');
    },
  );
});
