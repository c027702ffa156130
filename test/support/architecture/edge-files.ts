import { readFileSync } from 'node:fs';

/** Files that may touch time, chance, timers and the process, with the reason; eslint.config.mjs reads the same list. */
const edges = JSON.parse(readFileSync(new URL('../edge-files.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;

export default Object.keys(edges);
