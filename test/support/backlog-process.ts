import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RUN_TYPESCRIPT } from './run-typescript.js';

const SCRIPT = fileURLToPath(new URL('./lmdb-backlog-process.ts', import.meta.url));

/** A real process with an lmdbBacklog, see `lmdb-backlog-process.ts`. */
export class BacklogProcess {
  stderr = '';
  private readonly answers: unknown[] = [];
  private waiting: (() => void) | undefined;
  private hasEnded = false;

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    child.on('message', (answer) => {
      this.answers.push(answer);
      this.waiting?.();
    });
    child.on('exit', () => {
      this.hasEnded = true;
      this.waiting?.();
    });
  }

  static async start(path: string, log = path, durability = 'process'): Promise<BacklogProcess> {
    const child = fork(SCRIPT, [path, log, durability], {
      execArgv: [...RUN_TYPESCRIPT],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const started = new BacklogProcess(child);
    await started.answer();
    return started;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  ask(command: string): Promise<unknown> {
    this.child.send(command);
    return this.answer();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it, and waits until it has ended. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
  }

  /** Answers its exit code. */
  async close(): Promise<unknown> {
    const ended = once(this.child, 'exit');
    this.child.send('close');
    const [code] = (await ended) as unknown[];
    return code;
  }

  private async answer(): Promise<unknown> {
    while (this.answers.length === 0) {
      if (this.hasEnded) {
        const { exitCode, signalCode } = this.child;
        throw new Error(`the process ended (${String(exitCode ?? signalCode)}): ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    return this.answers.shift();
  }
}
