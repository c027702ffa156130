import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spread, table } from '../statistics.mjs';

const MEASURE = fileURLToPath(new URL('measure.mjs', import.meta.url));
/** So large a nursery that nothing is collected while bytes are counted. */
const NO_COLLECTION = [
  '--expose-gc',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
];

async function answerOf(args, execArgv) {
  const child = fork(MEASURE, args, { execArgv });
  const [answer] = await once(child, 'message');
  return answer;
}

/** A Markdown table: what one event costs. */
export async function emitReport() {
  const times = await answerOf([], []);
  const bytes = await answerOf(['--bytes'], NO_COLLECTION);
  return table(
    [
      'per event',
      'times JSON.stringify',
      'middle half',
      'µs',
      'bytes allocated',
    ],
    times.map(({ name, us, ratio, ratios }) => [
      name,
      ratio.toFixed(2),
      spread(ratios),
      us.toFixed(2),
      bytes[name],
    ]),
  );
}
