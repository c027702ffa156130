import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { jest } from '@jest/globals';
import type { INestApplication, LoggerService, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { startCollector } from 'nestjs-tracking/testing';
import { Agent, request } from 'undici';
import type { TrackingEvent } from '../../lib/core/event.js';
import { AppModule } from '../../sample-app/src/app.module.js';
import { PaymentsService } from '../../sample-app/src/donations/payments.service.js';
import { Settings } from '../../sample-app/src/settings.js';
import { SponsorBackend } from '../../sample-app/src/tracking/sponsor.backend.js';
import { temporaryFolder } from './marathon-folder.js';
import type { Period, Stats } from './marathon-stats.js';

/** Many more donors than this are there at once, so each connection carries requests of many of them. */
const CONNECTIONS = 24;

export const RUNS = ['celeste', 'super-metroid', 'portal-2'] as const;

export type Platform = 'express' | 'fastify';

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RequestOptions {
  readonly token?: string;
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** The sample app on a real port, and everything that comes out of it. */
export interface RunningMarathon {
  readonly app: INestApplication;
  /** What was written to standard output, read as JSON. */
  readonly lines: readonly TrackingEvent[];
  /** What the sponsor was sent, refused or not. */
  readonly sponsored: readonly TrackingEvent[];
  readonly warnings: readonly string[];
  /** What has arrived at the collector. */
  collected(): TrackingEvent[];
  /** Requests whose client left before the reply was complete. */
  lostReplies(): number;
  /** POST with a body, else GET. */
  call(path: string, options?: RequestOptions): Promise<Reply>;
  /** @returns the token */
  signIn(name: string): Promise<string>;
  donate(token: string, run: string, amountCents: number): Promise<Reply>;
  stats(by: Period): Promise<readonly Stats[]>;
  close(): Promise<void>;
}

export interface MarathonOptions {
  /** In place of the bank. */
  readonly payments?: Type<PaymentsService>;
  /** Left as it is at the end. Default: a new one, which is removed. */
  readonly dataDir?: string;
  readonly redisUrl?: string;
}

export async function runMarathon(
  platform: Platform,
  { payments = PaymentsService, dataDir: givenDir, redisUrl }: MarathonOptions = {},
): Promise<RunningMarathon> {
  const dataDir = givenDir ?? temporaryFolder();
  const collector = await startCollector();
  const settings: Settings = { port: 0, dataDir, redisUrl, collectorUrl: collector.url };
  const lines: TrackingEvent[] = [];
  jest.spyOn(console, 'info').mockImplementation((line: string) => {
    lines.push(JSON.parse(line) as TrackingEvent);
  });
  const sponsored: TrackingEvent[] = [];
  const send = SponsorBackend.prototype.send;
  jest.spyOn(SponsorBackend.prototype, 'send').mockImplementation(function (this: SponsorBackend, event) {
    sponsored.push(event);
    send.call(this, event);
  });
  const { logger, warnings } = warningsOnly();
  const testing = await Test.createTestingModule({ imports: [AppModule] })
    .setLogger(logger)
    .overrideProvider(Settings)
    .useValue(settings)
    .overrideProvider(PaymentsService)
    .useClass(payments)
    .compile();
  const app = testing.createNestApplication(
    platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    { forceCloseConnections: true },
  );
  await app.listen(0, '127.0.0.1');
  let lostReplies = 0;
  (app.getHttpServer() as Server).on('request', (_request, response) => {
    response.once('close', () => {
      lostReplies += response.writableFinished ? 0 : 1;
    });
  });
  const url = await app.getUrl();
  const agent = new Agent({ connections: CONNECTIONS });
  const call: RunningMarathon['call'] = (path, options = {}) => requestJson(`${url}${path}`, agent, options);
  return {
    app,
    lines,
    sponsored,
    warnings,
    collected: () => collector.requests.flatMap(({ events }) => events as TrackingEvent[]),
    lostReplies: () => lostReplies,
    call,
    signIn: async (name) => {
      const { body } = await call('/sign-in', { body: { name, email: `${name}@example.org` } });
      return String(body['token']);
    },
    donate: (token, run, amountCents) =>
      call(`/runs/${run}/donations`, { token, body: { amountCents, comment: `${amountCents}` } }),
    stats: async (by) => (await call(`/stats?by=${by}`)).body as unknown as readonly Stats[],
    close: async () => {
      await app.close();
      await agent.destroy();
      await collector.close();
      jest.restoreAllMocks();
      if (givenDir === undefined) {
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
  };
}

async function requestJson(
  url: string,
  dispatcher: Agent,
  { token, body, signal }: RequestOptions,
): Promise<Reply> {
  const response = await request(url, {
    dispatcher,
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.statusCode,
    body: (await response.body.json()) as Reply['body'],
  };
}

function warningsOnly(): { logger: LoggerService; warnings: string[] } {
  const warnings: string[] = [];
  const nothing = (): void => undefined;
  const warn = (message: unknown): void => {
    warnings.push(String(message));
  };
  return { logger: { log: nothing, warn, error: warn }, warnings };
}
