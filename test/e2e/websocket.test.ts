import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Controller, Get, Injectable, Module, UseGuards, UseInterceptors } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  getTrackerToken,
  InjectTracker,
  NoTrack,
  Track,
  TrackingContext,
  TrackingInterceptor,
  TrackingModule,
  WithContext,
} from 'nestjs-tracking';
import type { JsonObject, Tracker, TrackingExtras, TrackingModuleOptions } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { IncomingMessage } from 'node:http';
import { interval, map, Observable, of, take } from 'rxjs';
import type { WebSocket } from 'ws';
import { sessionIdOf } from '../support/session-id.js';
import type { Host, ListeningApp } from '../support/transports.js';
import { contextOf, HOSTS, listen, WsClient } from '../support/transports.js';

type Known = WebSocket & { user?: object; sessionID?: string };

interface Answer {
  event: string;
  data: unknown;
}

/** Signs in who says so, on the client: the way of Nest's gateways. */
@Injectable()
class SignIn implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const client = execution.switchToWs().getClient<Known>();
    const data = execution.switchToWs().getData<{ as?: string } | undefined>();
    if (data?.as !== undefined) {
      client.user = { id: data.as, password: 'secret' };
    }
    return true;
  }
}

/** Enters a frame between the two doors that lead to one scope. */
@Injectable()
class EnterRoom implements NestInterceptor {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.tracker.enterContext('room', { room: 'green' });
    return next.handle();
  }
}

/** The same around the handler alone. */
@Injectable()
class InHall implements NestInterceptor {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return this.tracker.context('hall', { hall: 'east' }, () => next.handle());
  }
}

@WebSocketGateway()
class ChatGateway {
  tornDown = new Set<string>();

  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  handleConnection(client: Known, request: IncomingMessage): void {
    const { searchParams } = new URL(request.url ?? '/', 'ws://chat');
    client.sessionID = searchParams.get('session') ?? 'none';
    this.tracker.emit('chat.connected');
  }

  @WithContext('client', ({ sessionID }: Known) => ({
    session: { id: sessionID },
  }))
  handleDisconnect({ readyState }: Known): void {
    this.tracker.emit('chat.disconnected', { readyState });
  }

  @SubscribeMessage('say')
  @UseGuards(SignIn)
  async say(@MessageBody() { text }: { text: string }): Promise<Answer> {
    this.tracker.enterContext('text', { text });
    await turn();
    this.tracker.emit('said', { text });
    await turn();
    return { event: 'said', data: this.tracker.resolveContext() };
  }

  @SubscribeMessage('count')
  count(@MessageBody() to: number): Observable<Answer> {
    return interval(1).pipe(
      take(to),
      map((n) => {
        this.tracker.emit('counted', { n });
        return { event: 'count', data: n };
      }),
    );
  }

  @SubscribeMessage('watch')
  watch(@MessageBody() name: string): Observable<Answer> {
    return new Observable((subscriber) => {
      subscriber.next({ event: 'watching', data: name });
      return () => {
        this.tracker.emit('left', { name });
        this.tornDown.add(name);
      };
    });
  }

  @SubscribeMessage('vote')
  @UseInterceptors(EnterRoom)
  @Track('voted', { data: (result) => ({ result }) })
  vote(@MessageBody() choice: string): Answer {
    return { event: 'vote', data: choice };
  }

  @SubscribeMessage('fail')
  @Track('failed', { on: 'failure' })
  fail(): never {
    this.tracker.emit('failing');
    throw new WsException('no');
  }

  @SubscribeMessage('fail.later')
  @Track('failed.later', { on: 'both' })
  failLater(): Observable<Answer> {
    return interval(1).pipe(
      map((n) => {
        if (n === 1) {
          throw new WsException('no more');
        }
        return { event: 'once', data: n };
      }),
    );
  }

  @SubscribeMessage('framed')
  @WithContext('move', (_client: WebSocket, move: string) => ({ move }))
  framed(_client: WebSocket, move: string): Observable<Answer> {
    return new Observable((subscriber) => {
      this.tracker.emit('moved');
      subscriber.next({ event: 'moved', data: move });
      subscriber.complete();
    });
  }

  @SubscribeMessage('context')
  context(@ConnectedSocket() _client: WebSocket, @TrackingContext() context: JsonObject): Observable<Answer> {
    return of({ event: 'context', data: context });
  }
}

@Controller()
class PageController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('page')
  page(): string {
    this.tracker.emit('page.seen');
    return 'page';
  }
}

function chat(
  memory: MemoryBackend,
  options: Partial<TrackingModuleOptions> & TrackingExtras = {},
  gateway: new (tracker: Tracker) => object = ChatGateway,
): new () => object {
  @Module({
    imports: [TrackingModule.forRoot({ backends: { memory }, ...options })],
    controllers: [PageController],
    providers: [gateway],
  })
  class ChatModule {}
  return ChatModule;
}

describe.each(HOSTS)('gateways beside HTTP on %s', (host: Host) => {
  const clients: WsClient[] = [];
  let memory: MemoryBackend;
  let running: ListeningApp;

  async function start(
    ...[options, gateway]: [
      (Partial<TrackingModuleOptions> & TrackingExtras)?,
      (new (tracker: Tracker) => object)?,
    ]
  ): Promise<void> {
    running = await listen(chat(memory, options, gateway), host);
  }

  async function connect(path?: string): Promise<WsClient> {
    const client = await WsClient.connect(running, path);
    clients.push(client);
    return client;
  }

  beforeEach(() => {
    memory = memoryBackend();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await running.close();
  });

  it('gives each message a scope with its handler, without a decorator', async () => {
    await start();
    const client = await connect();
    await client.ask('say', { text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({
      session: { id: sessionIdOf('none') },
      handler: { kind: 'ws', class: 'ChatGateway', method: 'say' },
      text: 'hello',
    });
  });

  it('shows the user and the session that are on the client, as soon as they are there', async () => {
    await start();
    const client = await connect('/?session=s1');
    await client.ask('say', { text: 'before' });
    await client.ask('say', { text: 'after', as: 'ann' });
    const [before, after] = memory.events.filter(({ name }) => name === 'said');
    expect(before?.context).not.toHaveProperty('user');
    expect(after?.context).toMatchObject({
      user: { id: 'ann' },
      session: { id: sessionIdOf('s1') },
    });
  });

  it('hands the client and the execution to the functions of the app', async () => {
    await start({
      request: {
        user: (source, execution) =>
          `${String((source as Known).sessionID)} at ${String(execution?.getHandler().name)}`,
        session: (source) => ({ id: 'x', of: (source as Known).sessionID }),
      },
    });
    const client = await connect('/?session=s1');
    await client.ask('say', { text: 'hello' });
    expect(await contextOf(memory, 'said')).toMatchObject({
      user: { id: 's1 at say' },
      session: { id: 'x', of: 's1' },
    });
  });

  it('keeps apart what many clients say at the same time', async () => {
    await start();
    const CLIENTS = 40;
    const MESSAGES = 25;
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, c) => {
        const client = await connect(`/?session=s${c}`);
        const answers = Array.from({ length: MESSAGES }, () => client.next());
        for (let m = 0; m < MESSAGES; m++) {
          client.send('say', { text: `${c}/${m}`, as: `u${c}` });
        }
        await Promise.all(answers);
      }),
    );
    const said = memory.events.filter(({ name }) => name === 'said');
    expect(new Set(said.map(({ data }) => data['text'])).size).toBe(CLIENTS * MESSAGES);
    for (const { data, context } of said) {
      const text = data['text'] as string;
      const client = text.split('/')[0] ?? '';
      expect(context).toMatchObject({
        user: { id: `u${client}` },
        session: { id: sessionIdOf(`s${client}`) },
        text,
      });
    }
  });

  it('lets nothing of one message be seen in the next', async () => {
    await start();
    const client = await connect();
    await client.ask('say', { text: 'hello' });
    const { data } = (await client.ask('context')) as Answer;
    expect(data).toEqual({
      session: { id: sessionIdOf('none') },
      handler: { kind: 'ws', class: 'ChatGateway', method: 'context' },
    });
  });

  it('starts empty, whatever was active when the server began to listen', async () => {
    const boot = createTracker({ backends: {} });
    await boot.context('boot', { boot: true }, () => start());
    const client = await boot.context('client', { client: true }, () => connect());
    await client.ask('say', { text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({
      session: { id: sessionIdOf('none') },
      handler: { kind: 'ws', class: 'ChatGateway', method: 'say' },
      text: 'hello',
    });
  });

  it('keeps the scope for all answers of a stream', async () => {
    await start();
    const client = await connect('/?session=s1');
    client.send('count', 3);
    const answers = [];
    for (let n = 0; n < 3; n++) {
      answers.push(await client.next());
    }
    expect(answers).toEqual([0, 1, 2].map((data) => ({ event: 'count', data })));
    const counted = memory.events.filter(({ name }) => name === 'counted');
    expect(counted).toHaveLength(3);
    for (const { context } of counted) {
      expect(context).toEqual({
        session: { id: sessionIdOf('s1') },
        handler: { kind: 'ws', class: 'ChatGateway', method: 'count' },
      });
    }
  });

  it('ends a stream in its scope when its client leaves, and no other', async () => {
    await start();
    const [leaving, staying] = [await connect('/?session=s1'), await connect('/?session=s2')];
    await leaving.ask('watch', 'a');
    await staying.ask('watch', 'b');
    await leaving.close();
    expect(await contextOf(memory, 'left')).toEqual({
      session: { id: sessionIdOf('s1') },
      handler: { kind: 'ws', class: 'ChatGateway', method: 'watch' },
    });
    expect(running.app.get(ChatGateway).tornDown).toEqual(new Set(['a']));
  });

  it('tracks with @Track in the scope that is open already', async () => {
    await start();
    const client = await connect();
    await client.ask('vote', 'yes');
    const [voted] = await memory.waitFor('voted');
    expect(voted).toMatchObject({
      data: { result: { event: 'vote', data: 'yes' } },
      context: {
        handler: { kind: 'ws', class: 'ChatGateway', method: 'vote' },
        room: 'green',
      },
    });
  });

  it('tracks a failure, and the client hears of it as Nest tells it', async () => {
    await start();
    const client = await connect();
    expect(await client.ask('fail')).toMatchObject({
      event: 'exception',
      data: { status: 'error', message: 'no' },
    });
    const [failed] = await memory.waitFor('failed');
    expect(failed?.data).toEqual({ error: 'WsException' });
    expect(failed?.context).toEqual(await contextOf(memory, 'failing'));
  });

  it('tracks the failure of a stream after its answers, once', async () => {
    await start();
    const client = await connect();
    expect(await client.ask('fail.later')).toEqual({ event: 'once', data: 0 });
    expect(await client.next()).toMatchObject({ event: 'exception' });
    expect(await contextOf(memory, 'failed.later')).toMatchObject({
      handler: { method: 'failLater' },
    });
  });

  it('adds the frame of @WithContext, also to a stream', async () => {
    await start();
    const client = await connect();
    await client.ask('framed', 'e4');
    expect(await contextOf(memory, 'moved')).toMatchObject({
      handler: { kind: 'ws', class: 'ChatGateway', method: 'framed' },
      move: 'e4',
    });
  });

  it('has no scope where no message is handled, but the one of @WithContext', async () => {
    await start();
    const client = await connect('/?session=s1');
    expect(await contextOf(memory, 'chat.connected')).toEqual({});
    await client.close();
    expect(await contextOf(memory, 'chat.disconnected')).toEqual({
      session: { id: 's1' },
    });
  });

  it('serves HTTP requests beside it as ever', async () => {
    await start();
    await fetch(`${running.url}/page`);
    expect(await contextOf(memory, 'page.seen')).toMatchObject({
      request: { method: 'GET', path: '/page' },
      handler: { kind: 'http', class: 'PageController', method: 'page' },
    });
  });

  it('serves them without middleware, in scopes that the interceptor opens', async () => {
    await start({ middleware: false });
    const client = await connect('/?session=s1');
    await client.ask('say', { text: 'hello' });
    expect(await contextOf(memory, 'said')).toMatchObject({
      session: { id: sessionIdOf('s1') },
      handler: { kind: 'ws', method: 'say' },
    });
    await fetch(`${running.url}/page`);
    expect(await contextOf(memory, 'page.seen')).toMatchObject({
      request: { method: 'GET', path: '/page', route: '/page' },
      handler: { kind: 'http', class: 'PageController', method: 'page' },
    });
  });

  it('opens none where no instance follows requests, and @Track works all the same', async () => {
    @Module({
      imports: [
        TrackingModule.forRoot({ backends: { memory }, name: 'one' }),
        TrackingModule.forRoot({ backends: {}, name: 'two' }),
      ],
      providers: [ChatGateway, { provide: getTrackerToken(), useExisting: getTrackerToken('one') }],
    })
    class TwoModule {}
    running = await listen(TwoModule, host);
    const client = await connect();
    await client.ask('count', 1);
    expect(await contextOf(memory, 'counted')).toEqual({});
    await client.ask('vote', 'yes');
    expect((await memory.waitFor('voted'))[0]?.data).toMatchObject({
      result: { data: 'yes' },
    });
  });

  it('opens scopes, without handlers, only where it is asked to under interceptor: false', async () => {
    @WebSocketGateway()
    class AskingGateway extends ChatGateway {
      @SubscribeMessage('say')
      @UseInterceptors(TrackingInterceptor)
      override say(data: { text: string }): Promise<Answer> {
        return super.say(data);
      }
    }
    await start({ interceptor: false }, AskingGateway);
    const client = await connect('/?session=s1');
    await client.ask('say', { text: 'hello' });
    expect(await contextOf(memory, 'said')).toEqual({
      session: { id: sessionIdOf('s1') },
      text: 'hello',
    });
    await client.ask('vote', 'yes');
    await client.ask('count', 1);
    expect(await contextOf(memory, 'counted')).toEqual({});
    expect(memory.events.some(({ name }) => name === 'voted')).toBe(false);
  });

  it('opens one scope where the decorator and the app both ask for it', async () => {
    @WebSocketGateway()
    @Track('any.message')
    @UseInterceptors(TrackingInterceptor, EnterRoom, InHall, TrackingInterceptor)
    class CarefulGateway extends ChatGateway {
      @SubscribeMessage('quiet')
      @NoTrack()
      quiet(): Answer {
        return { event: 'quiet', data: null };
      }
    }
    await start({}, CarefulGateway);
    const client = await connect();
    await client.ask('quiet');
    await client.ask('say', { text: 'hello' });
    const context = await contextOf(memory, 'said');
    expect(context).toMatchObject({
      room: 'green',
      hall: 'east',
      text: 'hello',
    });
    expect(await contextOf(memory, 'any.message')).toEqual(context);
  });

  it('closes with clients connected, and every event delivered', async () => {
    await start();
    const client = await connect();
    await client.ask('watch', 'a');
    const gone = once(client.socket, 'close');
    await Promise.all([running.close(), client.close(), gone]);
    expect(memory.events.map(({ name }) => name)).toContain('left');
  });
});
