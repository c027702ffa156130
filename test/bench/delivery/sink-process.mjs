import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SINK = fileURLToPath(new URL('sink.mjs', import.meta.url));

/** Starts a sink that answers after that time. */
export async function startSink(delayMs = 0) {
  const child = fork(SINK, [String(delayMs)]);
  const [{ port }] = await once(child, 'message');
  return {
    url: `http://127.0.0.1:${port}/in`,
    /** Tells it something; answers what it has got so far. */
    ask: async (question = {}) => {
      child.send(question);
      const [answer] = await once(child, 'message');
      return answer;
    },
    stop: () => child.disconnect(),
  };
}
