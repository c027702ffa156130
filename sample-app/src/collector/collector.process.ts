import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Injectable, Logger } from '@nestjs/common';
import { Settings } from '../settings/settings.js';

const PROGRAM = fileURLToPath(new URL('main.js', import.meta.url));

/** The collector as the app sees it: a process that can be stopped and started. If it dies, the app goes on. */
@Injectable()
export class CollectorProcess implements OnApplicationShutdown {
  private readonly logger = new Logger(CollectorProcess.name);
  private readonly file: string;
  private port: number | undefined;
  private child: ChildProcess | undefined;

  constructor({ collectorPort, dataDir }: Settings) {
    this.port = collectorPort;
    this.file = join(dataDir, 'collected.jsonl');
  }

  /** Where it listens whenever it runs; undefined where there is none. */
  get url(): string | undefined {
    return this.port === undefined ? undefined : `http://127.0.0.1:${this.port}/events`;
  }

  /** The process, while it runs. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when it listens. Does nothing when it runs. */
  async start(): Promise<void> {
    if (this.port === undefined || this.child !== undefined) {
      return;
    }
    const child = fork(PROGRAM, [String(this.port), this.file], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    child.once('exit', (code, signal) => {
      // Unless it was asked to.
      if (this.child === child) {
        this.child = undefined;
        this.logger.warn(
          `The collector has ended (${signal ?? code}). Its events wait until it is started again: POST /collector/start`,
        );
      }
    });
    const listening = once(child, 'message').then(([port]) => {
      this.port = port as number;
    });
    await Promise.race([listening, once(child, 'exit')]);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child !== undefined) {
      this.child = undefined;
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    }
  }

  /** The tracker has closed, see `CollectorModule`: its last events have arrived. */
  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }
}
