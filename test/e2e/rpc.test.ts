import type { Server as TcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { CanActivate, ExecutionContext, INestApplication, INestMicroservice } from '@nestjs/common';
import { Controller, Get, Injectable, Module, Scope, UseGuards, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  TcpContext,
  Transport,
} from '@nestjs/microservices';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  getTrackerToken,
  InjectTracker,
  Track,
  TrackingInterceptor,
  TrackingModule,
  WithContext,
} from 'nestjs-tracking';
import type { Backend, Tracker, TrackingExtras, TrackingModuleOptions } from 'nestjs-tracking';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { Observable } from 'rxjs';
import { firstValueFrom, interval, map, take, toArray } from 'rxjs';
import { sessionIdOf } from '../support/session-id.js';
import { contextOf, HOSTS, makeApp, QUIET } from '../support/transports.js';

const TCP: MicroserviceOptions = {
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: 0 },
};

const QUIET_TCP = Object.assign({}, QUIET, TCP);

interface Message {
  from: string;
  text: string;
}

/** A guard of a microservice: whoever sends is on the message, and goes on the RPC context. */
@Injectable()
class SignIn implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { from } = execution.switchToRpc().getData<Message>();
    const context = execution.switchToRpc().getContext<TcpContext & { user?: object; sessionID?: string }>();
    context.user = { id: from, password: 'secret' };
    context.sessionID = `of ${from}`;
    return true;
  }
}

@Controller()
class MessagesController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @MessagePattern('say')
  @UseGuards(SignIn)
  async say(@Payload() { text }: Message): Promise<object> {
    this.tracker.enterContext('text', { text });
    await turn();
    this.tracker.emit('said', { text });
    await turn();
    return this.tracker.resolveContext();
  }

  @EventPattern('heard')
  @UseGuards(SignIn)
  async heard(@Payload() { text }: Message): Promise<void> {
    await turn();
    this.tracker.emit('heard', { text });
  }

  @EventPattern('heard')
  heardToo(@Payload() { text }: Message): void {
    this.tracker.emit('heard.too', { text });
  }

  @MessagePattern('count')
  @Track('counted', { data: (last) => ({ last }) })
  count(@Payload() to: number): Observable<number> {
    return interval(1).pipe(
      take(to),
      map((n) => {
        this.tracker.emit('count', { n });
        return n;
      }),
    );
  }

  @MessagePattern('fail')
  @Track('failed', { on: 'failure' })
  async fail(): Promise<never> {
    await turn();
    throw new RpcException('no');
  }

  @MessagePattern('fail.later')
  @Track('failed.later', { on: 'failure', data: () => ({ late: true }) })
  failLater(): Observable<number> {
    return interval(1).pipe(
      map((n) => {
        if (n === 1) {
          throw new RpcException('no more');
        }
        return n;
      }),
    );
  }

  @MessagePattern('framed')
  @WithContext('job', (job: string) => ({ job }))
  async framed(job: string): Promise<string> {
    await turn();
    this.tracker.emit('worked');
    return job;
  }

  @MessagePattern('asked')
  @UseInterceptors(TrackingInterceptor)
  asked(): string {
    this.tracker.emit('asked');
    return 'done';
  }

  @Get('page')
  page(): string {
    this.tracker.emit('page.seen');
    return 'page';
  }
}

@Controller({ scope: Scope.REQUEST })
class PerMessageController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @MessagePattern('own.instance')
  @Track('answered')
  @WithContext('job', (job: string) => ({ job }))
  async work(job: string): Promise<string> {
    await turn();
    this.tracker.emit('worked.alone', { job });
    return job;
  }
}

function messages(
  memory: Backend,
  options: Partial<TrackingModuleOptions> & TrackingExtras = {},
): new () => object {
  @Module({
    imports: [TrackingModule.forRoot({ backends: { memory }, ...options })],
    controllers: [MessagesController, PerMessageController],
  })
  class MessagesModule {}
  return MessagesModule;
}

const clients: ClientProxy[] = [];

async function connect(server: INestMicroservice): Promise<ClientProxy> {
  const { port } = server.unwrap<TcpServer>().address() as AddressInfo;
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  clients.push(client);
  await client.connect();
  return client;
}

async function disconnect(): Promise<void> {
  for (const client of clients.splice(0)) {
    await client.close();
  }
}

function ask(client: ClientProxy, pattern: string, data: unknown = {}): Promise<unknown> {
  return firstValueFrom(client.send<unknown>(pattern, data));
}

describe('a microservice over TCP', () => {
  let memory: MemoryBackend;
  let server: INestMicroservice;

  async function start(options?: Partial<TrackingModuleOptions> & TrackingExtras): Promise<ClientProxy> {
    server = await NestFactory.createMicroservice<MicroserviceOptions>(messages(memory, options), QUIET_TCP);
    await server.listen();
    return connect(server);
  }

  beforeEach(() => {
    memory = memoryBackend();
  });

  afterEach(async () => {
    await disconnect();
    await server.close();
  });

  it('gives each message a scope with its handler, and who sent it', async () => {
    const client = await start();
    await ask(client, 'say', { from: 'ann', text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({
      user: { id: 'ann' },
      session: { id: sessionIdOf('of ann') },
      handler: { kind: 'rpc', class: 'MessagesController', method: 'say' },
      text: 'hello',
    });
  });

  it('hands the RPC context and the execution to the functions of the app', async () => {
    const client = await start({
      request: {
        user: (source, execution) => ({
          id: (source as unknown as TcpContext).getPattern(),
          method: execution?.getHandler().name,
        }),
      },
    });
    await ask(client, 'asked');
    expect(await contextOf(memory, 'asked')).toMatchObject({
      user: { id: 'asked', method: 'asked' },
    });
  });

  it('gives every handler of an event a scope of its own', async () => {
    const client = await start();
    client.emit('heard', { from: 'ann', text: 'hello' }).subscribe();
    expect(await contextOf(memory, 'heard')).toEqual({
      user: { id: 'ann' },
      session: { id: sessionIdOf('of ann') },
      handler: { kind: 'rpc', class: 'MessagesController', method: 'heard' },
    });
    expect(await contextOf(memory, 'heard.too')).toEqual({
      ...{ user: { id: 'ann' }, session: { id: sessionIdOf('of ann') } },
      handler: { kind: 'rpc', class: 'MessagesController', method: 'heardToo' },
    });
  });

  it('keeps apart what is sent at the same time', async () => {
    const client = await start();
    const ALL = 500;
    const answers = await Promise.all(
      Array.from({ length: ALL }, (_, n) => ask(client, 'say', { from: `u${n}`, text: `t${n}` })),
    );
    expect(memory.events).toHaveLength(ALL);
    for (const { data, context } of memory.events) {
      const text = data['text'] as string;
      expect(context).toMatchObject({
        user: { id: text.replace('t', 'u') },
        text,
      });
    }
    expect(answers[7]).toMatchObject({ user: { id: 'u7' }, text: 't7' });
  });

  it('keeps the scope for all answers of a stream, and tracks its end', async () => {
    const client = await start();
    const answers = await firstValueFrom(client.send<number>('count', 3).pipe(toArray()));
    expect(answers).toEqual([0, 1, 2]);
    const [counted] = await memory.waitFor('counted');
    expect(counted?.data).toEqual({ last: 2 });
    expect(memory.events).toHaveLength(4);
    for (const { context } of memory.events) {
      expect(context).toEqual({
        handler: { kind: 'rpc', class: 'MessagesController', method: 'count' },
      });
    }
  });

  it('tracks failures, and the client hears of them as Nest tells them', async () => {
    const client = await start();
    await expect(ask(client, 'fail')).rejects.toMatchObject({
      status: 'error',
      message: 'no',
    });
    const [failed] = await memory.waitFor('failed');
    expect(failed).toMatchObject({
      data: { error: 'RpcException' },
      context: { handler: { method: 'fail' } },
    });
    await expect(firstValueFrom(client.send<number>('fail.later', {}).pipe(toArray()))).rejects.toMatchObject(
      { message: 'no more' },
    );
    const [later] = await memory.waitFor('failed.later');
    expect(later).toMatchObject({
      data: { late: true },
      context: { handler: { method: 'failLater' } },
    });
  });

  it('adds the frame of @WithContext to the scope of the message', async () => {
    const client = await start();
    await ask(client, 'framed', 'clean');
    expect(await contextOf(memory, 'worked')).toEqual({
      handler: { kind: 'rpc', class: 'MessagesController', method: 'framed' },
      job: 'clean',
    });
  });

  it('serves controllers that are made for each message', async () => {
    const client = await start();
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask(client, 'own.instance', `j${n}`)));
    const handler = {
      kind: 'rpc',
      class: 'PerMessageController',
      method: 'work',
    };
    for (const { data, context } of await memory.waitFor('worked.alone', 20)) {
      expect(context).toEqual({ handler, job: data['job'] });
    }
    for (const { context } of await memory.waitFor('answered', 20)) {
      expect(context).toEqual({ handler });
    }
  });

  it('opens scopes without handlers under interceptor: false, where it is asked to', async () => {
    const client = await start({
      interceptor: false,
      request: { user: () => 'somebody' },
    });
    await ask(client, 'asked');
    expect(await contextOf(memory, 'asked')).toEqual({
      user: { id: 'somebody' },
    });
    await ask(client, 'say', { from: 'ann', text: 'hello' });
    expect(await contextOf(memory, 'said')).not.toHaveProperty('user');
  });

  it('refuses to mark the whole process once a message was served', async () => {
    const codes: string[] = [];
    const client = await start({
      onError: ({ code }) => {
        codes.push(code);
      },
    });
    await ask(client, 'asked');
    const tracker = server.get<Tracker>(getTrackerToken());
    tracker.enterContext('leak', { user: { id: 'ann' } });
    await ask(client, 'framed', 'clean');
    expect(await contextOf(memory, 'worked')).not.toHaveProperty('user');
    expect(codes).toEqual(['context_outside_scope']);
  });
});

describe('the shutdown of a microservice', () => {
  it('delivers what is waiting and closes its backends, once', async () => {
    const waiting: string[] = [];
    const delivered: string[] = [];
    let closed = 0;
    const deliver = async (): Promise<void> => {
      await turn();
      delivered.push(...waiting.splice(0));
    };
    const backend: Backend = {
      send: ({ name }) => {
        waiting.push(name);
      },
      flush: deliver,
      close: async () => {
        await deliver();
        closed++;
      },
    };
    const server = await NestFactory.createMicroservice<MicroserviceOptions>(messages(backend), QUIET_TCP);
    await server.listen();
    const client = await connect(server);
    await ask(client, 'asked');
    expect(delivered).toEqual([]);
    await disconnect();
    await server.close();
    expect({ delivered, closed }).toEqual({ delivered: ['asked'], closed: 1 });
  });
});

describe.each(HOSTS)('an app on %s that takes messages too', (host) => {
  let memory: MemoryBackend;
  let app: INestApplication;

  async function start(inheritAppConfig: boolean): Promise<ClientProxy> {
    app = await makeApp(messages(memory), host);
    const server = app.connectMicroservice<MicroserviceOptions>(TCP, {
      inheritAppConfig,
    });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    return connect(server);
  }

  beforeEach(() => {
    memory = memoryBackend();
  });

  afterEach(async () => {
    await disconnect();
    await app.close();
  });

  it('gives messages their scopes where they inherit the configuration of the app', async () => {
    const client = await start(true);
    await ask(client, 'say', { from: 'ann', text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({
      user: { id: 'ann' },
      session: { id: sessionIdOf('of ann') },
      handler: { kind: 'rpc', class: 'MessagesController', method: 'say' },
      text: 'hello',
    });
  });

  it('gives them where TrackingInterceptor or @Track stand, if they do not inherit it', async () => {
    const client = await start(false);
    await ask(client, 'asked');
    expect(await contextOf(memory, 'asked')).toEqual({
      handler: { kind: 'rpc', class: 'MessagesController', method: 'asked' },
    });
    await firstValueFrom(client.send('count', 1).pipe(toArray()));
    expect(await contextOf(memory, 'counted')).toEqual({
      handler: { kind: 'rpc', class: 'MessagesController', method: 'count' },
    });
    await ask(client, 'say', { from: 'ann', text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({});
  });

  it('follows its HTTP requests as ever', async () => {
    await start(true);
    await fetch(`${await app.getUrl()}/page`);
    expect(await contextOf(memory, 'page.seen')).toMatchObject({
      request: { method: 'GET', path: '/page' },
      handler: { kind: 'http', class: 'MessagesController', method: 'page' },
    });
  });
});
