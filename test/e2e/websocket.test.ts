import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type {
  CallHandler,
  CanActivate,
  ExecutionContext,
  NestInterceptor,
} from '@nestjs/common';
import {
  Controller,
  Get,
  Injectable,
  Module,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import {
  afterEach,
  beforeEach,
  describe,
  expect,
  it,
} from '@jest/globals';
import {
  InjectTracker,
  NoTrack,
  Track,
  TrackingContext,
  TrackingInterceptor,
  TrackingModule,
  WithContext,
} from 'nestjs-tracking';
import type {
  JsonObject,
  Tracker,
  TrackingExtras,
  TrackingModuleOptions,
} from 'nestjs-tracking';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { IncomingMessage } from 'node:http';
import { interval, map, Observable, of, take } from 'rxjs';
import type { WebSocket } from 'ws';
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

@WebSocketGateway()
class ChatGateway {
  tornDown = new Set<string>();

  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  handleConnection(client: Known, request: IncomingMessage): void {
    const { searchParams } = new URL(request.url ?? '/', 'ws://chat');
    client.sessionID = searchParams.get('session') ?? 'none';
    this.tracker.emit('chat.connected');
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
  framed(_client: WebSocket, _move: string): Observable<Answer> {
    return new Observable((subscriber) => {
      this.tracker.emit('moved');
      subscriber.next({ event: 'moved', data: null });
      subscriber.complete();
    });
  }

  @SubscribeMessage('context')
  context(
    @ConnectedSocket() _client: WebSocket,
    @TrackingContext() context: JsonObject,
  ): Observable<Answer> {
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
      session: { id: 'none' },
      handler: { kind: 'ws', class: 'ChatGateway', method: 'say' },
      text: 'hello',
    });
  });
});
