import type { Server } from 'node:http';
import http from 'node:http';
import type { Express } from 'express';
import express from 'express';
import type { TrackingReport, TrackerOptions } from 'nestjs-tracking/core';
import { createTracker } from 'nestjs-tracking/core';
import type { RequestOptions } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { HttpApp } from './http-app.js';
import { listening } from './http-app.js';
import type { AnyTracker } from './recording.js';

export interface TrackedApp extends HttpApp {
  readonly tracker: AnyTracker;
  readonly memory: MemoryBackend;
  readonly reports: TrackingReport[];
}

export interface TrackedAppOptions {
  readonly request?: RequestOptions;
  readonly tracker?: Partial<TrackerOptions>;
}

type Build = (tracker: AnyTracker, track: ReturnType<typeof trackingMiddleware>) => http.RequestListener;

const running: TrackedApp[] = [];

/** Closes what the tests of a file started. */
export async function closeApps(): Promise<void> {
  for (const app of running.splice(0)) {
    await app.close();
    await app.tracker.close();
  }
}

/** A bare Express app behind the middleware. */
export function startExpress(
  routes: (app: Express, tracker: AnyTracker) => void,
  options: TrackedAppOptions = {},
): Promise<TrackedApp> {
  return start((tracker, track) => {
    const app = express();
    app.use(track);
    routes(app, tracker);
    return app;
  }, options);
}

/** A server of Node alone that calls the middleware itself. */
export function startNode(
  handle: (request: http.IncomingMessage, response: http.ServerResponse, tracker: AnyTracker) => unknown,
  options: TrackedAppOptions = {},
): Promise<TrackedApp> {
  return start(
    (tracker, track) => (request, response) => {
      track(request, response, () => {
        void handle(request, response, tracker);
      });
    },
    options,
  );
}

async function start(
  build: Build,
  { request, tracker: trackerOptions }: TrackedAppOptions,
): Promise<TrackedApp> {
  const memory = memoryBackend();
  const reports: TrackingReport[] = [];
  const tracker = createTracker<Record<string, object | null | undefined>>({
    backends: { memory },
    onError: (report) => {
      reports.push(report);
    },
    ...trackerOptions,
  });
  const server: Server = http.createServer(build(tracker, trackingMiddleware(tracker, request)));
  const app = { ...(await listening(server)), tracker, memory, reports };
  running.push(app);
  return app;
}
