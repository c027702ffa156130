import 'reflect-metadata';
import { once } from 'node:events';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import type { TrackingEvent } from 'nestjs-tracking';
import { TrackingProbe, TrackingTestingModule } from 'nestjs-tracking/testing/nest';
import { WebSocket } from 'ws';
import { AppModule, ExistingModule } from './app.module.js';
import { Config } from './config.module.js';
import { OrdersModule } from './orders.module.js';

const QUIET = { logger: ['error' as const] };

/** Plays what users do, and answers the events. */
async function play(app: INestApplication): Promise<readonly TrackingEvent[]> {
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  await fetch(`${url}/orders`);
  await fetch(`${url}/orders/paid`, { method: 'POST' });
  await say(url);
  const { events } = app.get(Config, { strict: false }).memory;
  await app.close();
  return events;
}

async function say(url: string): Promise<void> {
  const client = new WebSocket(url.replace('http', 'ws'));
  await once(client, 'open');
  client.send(JSON.stringify({ event: 'say', data: 'hello' }));
  await once(client, 'message');
  client.close();
}

async function inTests(): Promise<readonly TrackingEvent[]> {
  const module = await Test.createTestingModule({
    imports: [TrackingTestingModule.forRoot(), OrdersModule],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  await fetch(`${await app.getUrl()}/orders`);
  const { events } = app.get(TrackingProbe);
  await app.close();
  return events;
}

async function main(): Promise<void> {
  const apps = {
    express: await NestFactory.create(AppModule, QUIET),
    fastify: await NestFactory.create(AppModule, new FastifyAdapter(), QUIET),
    existing: await NestFactory.create(ExistingModule, QUIET),
  };
  console.log(
    JSON.stringify({
      express: await play(apps.express),
      fastify: await play(apps.fastify),
      existing: await play(apps.existing),
      testing: await inTests(),
    }),
  );
}

void main();
