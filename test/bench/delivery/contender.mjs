/*
 * One contender in a process of its own: `node contender.mjs <set> <name> <url>`. Asked over IPC for a round of so many
 * events, it answers how long that took, and how much processor time of all its threads.
 */
import { answerQuestions } from '../contender-process.mjs';
import { inChunks } from './emitting.mjs';
import { openContender } from './open-contender.mjs';

const [, , set, name, url] = process.argv;
const { emit, flush, inside, close } = await openContender(set, name, url);

answerQuestions(async ({ events }) => {
  if (events === undefined) {
    await close();
    return {};
  }
  const cpu = process.cpuUsage();
  const started = performance.now();
  await inside(() => inChunks(events, emit));
  await flush();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (events / ms) * 1_000, cpuUs: (user + system) / events };
});
