import 'reflect-metadata';
import type { INestApplication, Provider, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import type { Tracker, TrackingReport } from 'nestjs-tracking';
import { getTrackerToken, TrackingModule, type TrackingModuleOptions } from 'nestjs-tracking';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { HttpApp } from './http-app.js';
import { listening } from './http-app.js';
import { untyped } from './recording.js';

export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface NestHttpApp extends HttpApp {
  readonly app: INestApplication;
  readonly tracker: Tracker;
  readonly memory: MemoryBackend;
  readonly reports: TrackingReport[];
}

export interface NestHttpOptions extends Partial<TrackingModuleOptions> {
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
}

const running: NestHttpApp[] = [];

/** Closes what the tests of a file started. */
export async function closeNestApps(): Promise<void> {
  for (const { app } of running.splice(0)) {
    (app.getHttpServer() as Server).closeAllConnections();
    await app.close();
  }
}

/** A Nest app on a real port, with its events in a memory backend. */
export async function startNest(
  platform: Platform,
  { controllers = [], providers = [], ...options }: NestHttpOptions,
): Promise<NestHttpApp> {
  const memory = memoryBackend();
  const reports: TrackingReport[] = [];

  @Module({
    imports: [
      TrackingModule.forRoot({
        backends: { memory },
        onError: (report) => {
          reports.push(report);
        },
        ...options,
      }),
    ],
    controllers: [...controllers],
    providers: [...providers],
  })
  class AppModule {}

  const app = await NestFactory.create(
    AppModule,
    platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    untyped({ logger: false, abortOnError: false }),
  );
  await app.listen(0, '127.0.0.1');
  const run = {
    ...(await listening(app.getHttpServer() as Server)),
    app,
    memory,
    reports,
    tracker: app.get<Tracker>(getTrackerToken()),
  };
  running.push(run);
  return run;
}
