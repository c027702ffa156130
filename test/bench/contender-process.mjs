import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * A process that answers each message with one: every contender has its own, so that none pays for another's garbage
 * or for what another taught the compiler.
 */
export class ContenderProcess {
  #child;

  constructor(file, args = [], execArgv = []) {
    this.#child = fork(file, args, { execArgv });
  }

  async ask(question) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#child.send(question);
    try {
      const [answer] = await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(([code]) => {
          throw new Error(`a contender ended with exit code ${code}`);
        }),
      ]);
      return answer;
    } finally {
      controller.abort();
    }
  }

  end() {
    this.#child.kill('SIGKILL');
  }
}

/** The other side: answers what `work` makes of each message. */
export function answerQuestions(work) {
  process.on('message', async (question) => {
    process.send(await work(question));
  });
  process.on('disconnect', () => process.exit());
}
