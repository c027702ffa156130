/**
 * An app that is told to end: a server with a backend that buffers, and with one that hangs if asked for.
 * Run as a process of its own. Says its port to standard error.
 */
import 'reflect-metadata';
import { appendFile } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get, Inject, Module, Param, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { NEVER, type Observable } from 'rxjs';
import type { Backend, Tracker } from '../../../lib/index.js';
import { getTrackerToken, TrackingModule } from '../../../lib/index.js';

const [, , platform, file = '', timeoutMs, trouble] = process.argv;

/** Writes to a file, but not before it is asked to: what it holds at the end is lost. */
function buffering(): Backend {
  let waiting: string[] = [];
  const write = async (): Promise<void> => {
    const lines = waiting;
    waiting = [];
    await delay(20);
    await appendFile(file, lines.join(''));
  };
  return {
    send: async ({ data }) => {
      await delay(1);
      waiting.push(`${JSON.stringify(data['id'])}\n`);
    },
    flush: write,
    close: write,
  };
}

function hanging(): Backend {
  const hang = (): Promise<never> => new Promise(() => undefined);
  return { send: () => undefined, flush: hang, close: hang };
}

@Controller()
class Orders {
  constructor(@Inject(getTrackerToken()) private readonly tracker: Tracker) {}

  @Get('orders/:id')
  async order(@Param('id') id: string): Promise<string> {
    await delay(5);
    this.tracker.emit('order.created', { id });
    await delay(30);
    return id;
  }

  @Sse('stream')
  stream(): Observable<MessageEvent> {
    // Held: the request never ends.
    this.tracker.emit('stream.opened', { id: 'stream' });
    return NEVER;
  }
}

@Module({
  imports: [
    TrackingModule.forRoot({
      backends: {
        file: buffering(),
        ...(trouble === 'hanging' ? { hanging: hanging() } : {}),
      },
      request: { hold: true },
      shutdownTimeoutMs: Number(timeoutMs),
    }),
  ],
  controllers: [Orders],
})
class AppModule {}

const app = await NestFactory.create(
  AppModule,
  platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
);
app.useLogger(false);
app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
process.stderr.write(`listening on ${await app.getUrl()}\n`);
