import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SETS } from './contenders.mjs';

/** Makes a contender, with a folder that is gone after its end. */
export async function openContender(set, name, url) {
  const [, make] = SETS[set].find(([own]) => own === name);
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-delivery-'));
  const contender = await make(url, folder);
  // The timers of some keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  return {
    inside: (work) => work(),
    ...contender,
    close: async () => {
      await contender.close();
      clearInterval(alive);
      rmSync(folder, { recursive: true });
    },
  };
}
