import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectTracker, TrackingModule } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';

declare module 'nestjs-tracking' {
  interface TrackedEvents {
    'order.created': { order: number };
  }
}

const memory = memoryBackend();

@Controller('orders')
class OrdersController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get()
  create(): string {
    this.tracker.emit('order.created', { order: 7 });
    return 'created';
  }

  neverCalled(): void {
    // @ts-expect-error -- the names are those that this app declared
    this.tracker.emit('order.creatde', { order: 7 });
  }
}

@Module({
  imports: [TrackingModule.forRoot({ backends: { memory } })],
  controllers: [OrdersController],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/orders`);
  await response.text();
  const [event] = await memory.waitFor('order.created');
  await app.close();
  console.log(JSON.stringify(event));
}

void main();
