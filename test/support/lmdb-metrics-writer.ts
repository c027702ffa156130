/** A process that counts in a file that it shares: `path subject count`. */
import process from 'node:process';
import { createMetrics } from '../../lib/core.js';
import { lmdbMetricsStore } from '../../lib/lmdb.js';

const AT_ONCE = 10;

const [, , path = '', subject = '', count = '0'] = process.argv;
const metrics = createMetrics({ store: lmdbMetricsStore({ path }) });
for (let n = 0; n < Number(count); n += AT_ONCE) {
  const totals = await Promise.all(
    Array.from({ length: AT_ONCE }, () => metrics.increment(['run', subject], ['d'])),
  );
  process.send?.(totals.at(-1)?.at(-1));
}
await metrics.close();
process.disconnect();
