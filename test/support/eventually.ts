const LIMIT_MS = 15_000;
const STEP_MS = 20;

/** Repeats an attempt until it succeeds; then answers what it answered, or fails as it failed last. */
export async function eventually<T>(attempt: () => T | Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
