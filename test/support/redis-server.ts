import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { freePort } from './free-port.mjs';
import { until } from './until.js';

const HOST = '127.0.0.1';
const SLOTS = 16_384;
const MASTERS = 3;

/** A real Redis server of a test's own, on loopback, without persistence. */
export class RedisServer {
  private child: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'redis-'));

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  /** Also again, after `kill`, on the same port. */
  async start(): Promise<void> {
    let problem: string | undefined;
    const child = spawn(
      'redis-server',
      [
        ...['--bind', HOST, '--port', String(this.port), '--dir', this.folder],
        ...['--save', '', '--appendonly', 'no', ...this.options],
      ],
      { stdio: 'ignore' },
    );
    child.once('error', (error) => {
      problem = `redis-server could not be started (${error.message}); "npm test" installs it, or "apt-get install redis-server"`;
    });
    child.once('exit', (code) => {
      problem ??= `redis-server ended with exit code ${String(code)}`;
    });
    this.child = child;
    await until(
      async () => {
        if (problem !== undefined) {
          throw new Error(problem);
        }
        return (await ask(this.port, 'PING')) === 'PONG';
      },
      { what: 'redis-server to answer' },
    );
  }

  client(options: object = {}): Redis {
    return new Redis(this.port, HOST, options);
  }

  /** Ends the server at once, as a crash would. What it held is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Has the process stand still, without closing its connections, and go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }
}

/** Three masters that share the slots among them. */
export class RedisCluster {
  private constructor(readonly servers: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: MASTERS }, async () =>
        RedisServer.start(
          ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'],
          ...['--cluster-port', String(await freePort())],
        ),
      ),
    );
    const cluster = new RedisCluster(servers);
    await cluster.join();
    return cluster;
  }

  client(options: object = {}): Cluster {
    return new Cluster(
      this.servers.map(({ port }) => ({ host: HOST, port })),
      options,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  private async join(): Promise<void> {
    const nodes = this.servers.map((server) => server.client());
    try {
      const [first, ...others] = nodes;
      for (const [index, node] of nodes.entries()) {
        const slot = (nth: number): number => Math.floor((SLOTS * nth) / MASTERS);
        await node.call('CLUSTER', 'ADDSLOTSRANGE', slot(index), slot(index + 1) - 1);
      }
      for (const [index, node] of others.entries()) {
        const bus = await node.config('GET', 'cluster-port');
        const { port } = this.servers[index + 1] as RedisServer;
        await first?.call('CLUSTER', 'MEET', HOST, port, String(bus[1]));
      }
      await until(
        async () => {
          const states = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO')));
          return states.every(
            (state) =>
              String(state).includes('cluster_state:ok') &&
              String(state).includes(`cluster_known_nodes:${MASTERS}`),
          );
        },
        { what: 'the cluster to be ready', timeoutMs: 20_000 },
      );
    } finally {
      for (const node of nodes) {
        node.disconnect();
      }
    }
  }
}

async function ask(port: number, command: string): Promise<unknown> {
  const client = new Redis(port, HOST, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    // By default a client whose server is not there keeps the process alive for 2 s after its end.
    disconnectTimeout: 0,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}
