import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplication, NestApplicationOptions, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { WebSocket } from 'ws';

export const HOSTS = ['express', 'fastify'] as const;
export type Host = (typeof HOSTS)[number];

/** Nest tells of a failure to boot instead of ending the process. */
export const QUIET: NestApplicationOptions = {
  logger: false,
  abortOnError: false,
};

type Root = Type<object> | DynamicModule;

export interface ListeningApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** An app that takes HTTP requests and WebSocket connections on a port of its own. */
export async function listen(root: Root, host: Host): Promise<ListeningApp> {
  const app = await makeApp(root, host);
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return {
    app,
    port,
    url: `http://127.0.0.1:${port}`,
    close: () => app.close(),
  };
}

export function makeApp(root: Root, host: Host): Promise<INestApplication> {
  return host === 'express'
    ? NestFactory.create(root, QUIET)
    : NestFactory.create(root, new FastifyAdapter(), QUIET);
}

/** A client of a gateway that takes its answers one after the other. */
export class WsClient {
  private readonly answers: unknown[] = [];
  private readonly takers: ((answer: unknown) => void)[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const answer: unknown = JSON.parse(data.toString());
      const taker = this.takers.shift();
      if (taker === undefined) {
        this.answers.push(answer);
      } else {
        taker(answer);
      }
    });
  }

  static async connect({ port }: ListeningApp, path = '/', protocol?: string): Promise<WsClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol);
    const client = new WsClient(socket);
    await once(socket, 'open');
    return client;
  }

  send(event: string, data?: unknown): void {
    this.socket.send(JSON.stringify({ event, data }));
  }

  next(): Promise<unknown> {
    return this.answers.length > 0
      ? Promise.resolve(this.answers.shift())
      : new Promise((resolve) => this.takers.push(resolve));
  }

  ask(event: string, data?: unknown): Promise<unknown> {
    this.send(event, data);
    return this.next();
  }

  async close(): Promise<void> {
    if (this.socket.readyState !== WebSocket.CLOSED) {
      this.socket.close();
      await once(this.socket, 'close');
    }
  }
}

/** The context of the only event of a name. */
export async function contextOf(memory: MemoryBackend, name: string): Promise<Record<string, unknown>> {
  await memory.waitFor(name);
  const events = memory.events.filter((event) => event.name === name);
  if (events.length !== 1) {
    throw new Error(`expected one ${name}, got ${events.length}`);
  }
  return events[0]?.context as Record<string, unknown>;
}
