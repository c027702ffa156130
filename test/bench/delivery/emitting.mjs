const CHUNK = 2_000;

/** Lets the event loop turn, as a server does between requests. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function inChunks(events, work) {
  for (let done = 0; done < events; done += CHUNK) {
    for (let i = done; i < Math.min(events, done + CHUNK); i++) {
      work(i);
    }
    await turn();
  }
}
