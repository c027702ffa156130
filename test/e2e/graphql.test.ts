import { setImmediate as turn } from 'node:timers/promises';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ForbiddenException, Injectable, Module, UseGuards } from '@nestjs/common';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { ApolloDriver } from '@nestjs/apollo';
import {
  Args,
  Context,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InjectTracker, Track, TrackingModule, WithContext } from 'nestjs-tracking';
import type { RequestSummary, Tracker, TrackingExtras, TrackingModuleOptions } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { ListeningApp } from '../support/transports.js';
import { contextOf, listen, WsClient } from '../support/transports.js';

interface GraphqlContext {
  req: { headers: Record<string, string | undefined>; user?: object };
}

/** Where Nest's guards for GraphQL put the user. */
@Injectable()
class SignIn implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { req } = execution.getArgByIndex<GraphqlContext>(2);
    const id = req.headers['x-user'];
    if (id !== undefined) {
      req.user = { id, password: 'secret' };
    }
    return true;
  }
}

@ObjectType()
class Run {
  @Field(() => Int)
  id!: number;

  @Field(() => Int)
  total!: number;

  static of(id: number): Run {
    return Object.assign(new Run(), { id });
  }
}

@Resolver(() => Run)
class RunsResolver {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Query(() => Run)
  @UseGuards(SignIn)
  async run(@Args('id', { type: () => Int }) id: number): Promise<Run> {
    this.tracker.enterContext('run', { run: id });
    await turn();
    this.tracker.emit('run.read', { id });
    return Run.of(id);
  }

  @ResolveField(() => Int)
  async total(@Parent() run: Run): Promise<number> {
    await turn();
    this.tracker.emit('total.read', { id: run.id });
    return run.id * 10;
  }

  @Mutation(() => Int)
  @Track('donated', { data: (total) => ({ total }) })
  async donate(@Args('cents', { type: () => Int }) cents: number): Promise<number> {
    await turn();
    return cents;
  }

  @Mutation(() => Int, { nullable: true })
  @Track('refused', { on: 'failure' })
  refuse(): never {
    throw new ForbiddenException('no');
  }

  @Subscription(() => Int, { resolve: (n: number) => n })
  @WithContext('ticks', { ticks: true })
  async *ticks(@Args('to', { type: () => Int }) to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) {
      this.tracker.emit('tick', { n });
      yield n;
      await turn();
    }
  }

  @Subscription(() => Run, { resolve: (run: Run) => run })
  async *runs(
    @Context() { req }: GraphqlContext,
    @Args('of', { type: () => String }) user: string,
  ): AsyncGenerator<Run> {
    req.user = { id: user };
    try {
      for (let id = 1; ; id++) {
        yield Run.of(id);
        await turn();
      }
    } finally {
      this.tracker.emit('runs.left');
    }
  }
}

function marathon(
  memory: MemoryBackend,
  options: Partial<TrackingModuleOptions> & TrackingExtras = {},
  graphql: Pick<ApolloDriverConfig, 'context'> = {},
): new () => object {
  @Module({
    imports: [
      TrackingModule.forRoot({ backends: { memory }, ...options }),
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        graphiql: false,
        fieldResolverEnhancers: ['interceptors'],
        subscriptions: { 'graphql-ws': true },
        ...graphql,
      }),
    ],
    providers: [RunsResolver],
  })
  class MarathonModule {}
  return MarathonModule;
}

/** Apollo on Fastify needs a package of its own, which @nestjs/apollo does not bring. */
describe('GraphQL with Apollo on express', () => {
  let memory: MemoryBackend;
  let running: ListeningApp;

  async function start(options?: Partial<TrackingModuleOptions> & TrackingExtras): Promise<void> {
    running = await listen(marathon(memory, options), 'express');
  }

  async function ask(query: string, user?: string): Promise<object> {
    const response = await fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(user === undefined ? {} : { 'x-user': user }),
      },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as object;
  }

  function named(name: string): MemoryBackend['events'] {
    return memory.events.filter((event) => event.name === name);
  }

  beforeEach(() => {
    memory = memoryBackend();
  });

  afterEach(async () => {
    await running.close();
  });

  it('gives resolvers that run at the same time one request and each its handler', async () => {
    await start();
    expect(await ask('{ a: run(id: 1) { id total } b: run(id: 2) { total } }', 'ann')).toEqual({
      data: { a: { id: 1, total: 10 }, b: { total: 20 } },
    });
    expect(memory.events).toHaveLength(4);
    const ids = new Set<unknown>();
    for (const { name, data, context } of memory.events) {
      const method = name === 'run.read' ? 'run' : 'total';
      expect(context).toMatchObject({
        request: { method: 'POST', path: '/graphql' },
        user: { id: 'ann' },
        handler: { kind: 'graphql', class: 'RunsResolver', method },
      });
      // What a resolver enters is its own: neither its siblings' nor its fields'.
      expect(context['run']).toBe(method === 'run' ? data['id'] : undefined);
      ids.add((context['request'] as { id: string }).id);
    }
    expect(ids.size).toBe(1);
  });

  it('keeps apart requests at the same time', async () => {
    await start();
    const ALL = 100;
    await Promise.all(Array.from({ length: ALL }, (_, n) => ask(`{ run(id: ${n}) { total } }`, `u${n}`)));
    expect(memory.events).toHaveLength(2 * ALL);
    const requests = new Map<unknown, unknown>();
    for (const { data, context } of memory.events) {
      expect(context).toMatchObject({
        user: { id: `u${data['id'] as number}` },
      });
      requests.set((context['request'] as { id: string }).id, data['id']);
    }
    expect(requests.size).toBe(ALL);
  });

  it('tracks mutations with @Track', async () => {
    await start();
    expect(await ask('mutation { donate(cents: 500) }')).toEqual({
      data: { donate: 500 },
    });
    const [donated] = await memory.waitFor('donated');
    expect(donated).toMatchObject({
      data: { total: 500 },
      context: {
        request: { path: '/graphql' },
        handler: { kind: 'graphql', class: 'RunsResolver', method: 'donate' },
      },
    });
  });

  it('tracks what a resolver throws, and tells the end of the request of it', async () => {
    const ends: RequestSummary[] = [];
    await start({ request: { onEnd: (summary) => ends.push(summary) } });
    expect(await ask('mutation { refuse donate(cents: 1) }')).toMatchObject({
      data: { refuse: null, donate: 1 },
      errors: [{ message: 'no', path: ['refuse'] }],
    });
    expect(named('refused')[0]?.data).toEqual({ error: 'ForbiddenException' });
    expect(named('donated')).toHaveLength(1);
    await running.close();
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ status: 200, events: 2 });
    expect(ends[0]?.error).toBeInstanceOf(ForbiddenException);
  });

  it('finds the request of an operation whose context does not show it', async () => {
    const context = ({ req }: GraphqlContext): object => ({
      req: { headers: req.headers },
    });
    running = await listen(marathon(memory, {}, { context }), 'express');
    await ask('{ run(id: 1) { total } }', 'ann');
    for (const name of ['run.read', 'total.read']) {
      expect(await contextOf(memory, name)).toMatchObject({
        request: { method: 'POST', path: '/graphql' },
        handler: { kind: 'graphql' },
      });
    }
  });

  it('opens the scope in the first resolver under middleware: false', async () => {
    await start({ middleware: false });
    await ask('{ a: run(id: 1) { total } b: run(id: 2) { total } }', 'ann');
    const contexts = named('total.read').map(({ context }) => context);
    expect(contexts).toHaveLength(2);
    for (const context of contexts) {
      expect(context).toMatchObject({
        request: { method: 'POST', path: '/graphql' },
        user: { id: 'ann' },
        handler: { method: 'total' },
      });
    }
    expect(contexts[0]?.['request']).toEqual(contexts[1]?.['request']);
  });

  it('takes what an app makes up for the context for no request', async () => {
    const context = (): object => ({
      req: { headers: {}, res: {}, user: { id: 'bob' } },
    });
    running = await listen(
      marathon(memory, { middleware: false, request: { onEnd: () => undefined } }, { context }),
      'express',
    );
    expect(await ask('{ run(id: 1) { total } }')).toEqual({
      data: { run: { total: 10 } },
    });
    expect(await contextOf(memory, 'total.read')).toEqual({
      user: { id: 'bob' },
      handler: { kind: 'graphql', class: 'RunsResolver', method: 'total' },
    });
  });

  it('leaves handlers and @Track out under interceptor: false', async () => {
    await start({ interceptor: false });
    await ask('mutation { donate(cents: 500) }');
    await ask('{ run(id: 1) { id } }');
    const context = await contextOf(memory, 'run.read');
    expect(context).toMatchObject({ request: { path: '/graphql' } });
    expect(context).not.toHaveProperty('handler');
    expect(named('donated')).toEqual([]);
  });

  describe('subscriptions over graphql-ws', () => {
    let client: WsClient;

    async function subscribe(id: string, query: string): Promise<void> {
      client.socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
      await Promise.resolve();
    }

    async function open(options?: Partial<TrackingModuleOptions> & TrackingExtras): Promise<void> {
      await start(options);
      client = await WsClient.connect(running, '/graphql', 'graphql-transport-ws');
      client.socket.send(JSON.stringify({ type: 'connection_init' }));
      await client.next();
    }

    afterEach(async () => {
      await client.close();
    });

    it('keep their scope for every event they are asked for', async () => {
      await open();
      await subscribe('1', 'subscription { ticks(to: 2) }');
      expect(await client.next()).toMatchObject({
        id: '1',
        payload: { data: { ticks: 0 } },
      });
      expect(await client.next()).toMatchObject({
        payload: { data: { ticks: 1 } },
      });
      expect(await client.next()).toMatchObject({ type: 'complete' });
      const ticks = named('tick');
      expect(ticks).toHaveLength(2);
      for (const { context } of ticks) {
        expect(context).toEqual({
          handler: { kind: 'graphql', class: 'RunsResolver', method: 'ticks' },
          ticks: true,
        });
      }
    });

    it('are asked for their user once, until it is known', async () => {
      const asked: unknown[] = [];
      await open({
        request: {
          user: (source) => {
            asked.push(source.user);
            return (source.user as { id: string } | undefined)?.id;
          },
        },
      });
      await subscribe('1', 'subscription { runs(of: "ann") { total } }');
      await memory.waitFor('total.read', 3);
      expect(asked).toEqual([{ id: 'ann' }]);
    });

    it('start empty, whatever was active when the server began to listen', async () => {
      const boot = createTracker({ backends: {} });
      await boot.context('boot', { boot: true }, () => open());
      await subscribe('1', 'subscription { ticks(to: 1) }');
      expect(await contextOf(memory, 'tick')).toEqual({
        handler: { kind: 'graphql', class: 'RunsResolver', method: 'ticks' },
        ticks: true,
      });
    });

    it('share it with the resolvers of their fields, and end in it', async () => {
      await open();
      await subscribe('1', 'subscription { runs(of: "ann") { total } }');
      for (const total of [10, 20]) {
        expect(await client.next()).toMatchObject({
          payload: { data: { runs: { total } } },
        });
      }
      for (const { context } of named('total.read')) {
        expect(context).toEqual({
          user: { id: 'ann' },
          handler: { kind: 'graphql', class: 'RunsResolver', method: 'total' },
        });
      }
      await client.close();
      expect(await contextOf(memory, 'runs.left')).toEqual({
        user: { id: 'ann' },
        handler: { kind: 'graphql', class: 'RunsResolver', method: 'runs' },
      });
    });
  });
});
