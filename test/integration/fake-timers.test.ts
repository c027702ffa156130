import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TrackingModule } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import { httpBackend } from 'nestjs-tracking/http';
import { memoryBackend } from 'nestjs-tracking/testing';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import { startNode } from '../support/started-process.js';
import { QUIET } from '../support/transports.js';

const PROGRAM = fileURLToPath(new URL('../support/programs/fake-timers.ts', import.meta.url));

/** What became of each case. */
async function played(when: string, which: string): Promise<Record<string, string>> {
  const child = startNode([...RUN_TYPESCRIPT, PROGRAM, when, which]);
  const { code } = await child.ended();
  expect([code, child.stderr()]).toStrictEqual([0, '']);
  const lines = child.stdout().trim().split('\n');
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, string]));
}

describe('timers that a test runner replaced', () => {
  it.each([
    ['none', 'all', 'not at all'],
    ['before', 'all', 'all of them, before everything is made'],
    ['before', 'some', 'some of them, before everything is made'],
    ['after', 'all', 'all of them, after everything was made'],
    ['after', 'some', 'some of them, after everything was made'],
  ])(
    '(%s, %s) let everything end: %s',
    async (when, which) => {
      const ends = await played(when, which);
      expect(Object.keys(ends)).toHaveLength(15);
      expect(ends).toStrictEqual(Object.fromEntries(Object.keys(ends).map((name) => [name, 'ends'])));
    },
    60_000,
  );
});

describe('the fake timers of jest', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  const dead = () => httpBackend({ url: 'http://127.0.0.1:9/' });

  it('let a tracker close', async () => {
    jest.useFakeTimers();
    const tracker = createTracker({ backends: { http: dead(), memory: memoryBackend() } });
    await expect(tracker.flush()).resolves.toStrictEqual({ settled: true, pending: 0 });
    await expect(tracker.close()).resolves.toStrictEqual({ settled: true, pending: 0 });
  }, 5_000);

  it('let a tracker close that was made before', async () => {
    const tracker = createTracker({ backends: { http: dead(), memory: memoryBackend() } });
    tracker.emit('a', {});
    jest.useFakeTimers();
    await tracker.close({ timeoutMs: 300 });
    expect(tracker.stats().backends['memory']).toMatchObject({ accepted: 1, state: 'closed' });
  }, 5_000);

  it('let a Nest app close', async () => {
    @Module({ imports: [TrackingModule.forRoot({ backends: { http: dead() } })] })
    class AppModule {}

    jest.useFakeTimers();
    const app = await NestFactory.createApplicationContext(AppModule, QUIET);
    await app.close();
    jest.useRealTimers();
    const again = await NestFactory.createApplicationContext(AppModule, QUIET);
    jest.useFakeTimers();
    await expect(again.close()).resolves.toBeUndefined();
  }, 5_000);
});
