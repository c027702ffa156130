import type { MetricsStore } from '../../lib/core.js';
import { memoryMetricsStore } from '../../lib/core.js';

/** A store in memory whose writes can be made to fail, to hang, or to be done although their answer is lost. */
export interface FailingStore extends MetricsStore {
  mode: 'ok' | 'fails' | 'hangs' | 'losesAnswers';
  /** Calls that write, whatever became of them. */
  writes: number;
  /** Lets those go on that hang. */
  release(): void;
}

const WRITES = ['increment', 'addMembers', 'record', 'set'] as const;

export function failingStore(): FailingStore {
  const memory = memoryMetricsStore();
  const done = new Map<string, unknown>();
  let hanging: (() => void)[] = [];
  const store = Object.create(memory) as FailingStore;
  store.mode = 'ok';
  store.writes = 0;
  store.release = () => {
    hanging.forEach((go) => {
      go();
    });
    hanging = [];
  };
  for (const name of WRITES) {
    const write = (memory[name] as (...args: unknown[]) => Promise<unknown>).bind(memory);
    Object.assign(store, {
      [name]: async (work: unknown, options: { once?: object }) => {
        store.writes++;
        if (store.mode === 'fails') {
          throw new Error('the store is down');
        }
        if (store.mode === 'hangs') {
          await new Promise<void>((resolve) => hanging.push(resolve));
        }
        const id = JSON.stringify(options.once ?? store.writes);
        if (!done.has(id)) {
          done.set(id, await write(work, options));
        }
        if (store.mode === 'losesAnswers') {
          throw new Error('the answer was lost');
        }
        return done.get(id);
      },
    });
  }
  return store;
}
