import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Waits for a condition of the outside world, with a limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { what, timeoutMs = 10_000 }: { what: string; timeoutMs?: number },
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`waited ${timeoutMs} ms for ${what}`);
    }
    await sleep(POLL_MS);
  }
}
