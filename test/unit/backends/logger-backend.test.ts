import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { eventBytes, eventJson } from '../../../lib/core/event.js';
import type { LoggerBackendOptions } from '../../../lib/backends/logger-backend.js';
import { loggerBackend } from '../../../lib/backends/logger-backend.js';
import type { Recording } from '../../support/recording.js';
import { deferred, record, untyped } from '../../support/recording.js';
import { problemsOf } from '../processors/events.js';

function logged(options: LoggerBackendOptions): Recording {
  return record({ backends: { logs: loggerBackend(options) } });
}

function lines(): { readonly written: string[]; info(line: string): void } {
  const written: string[] = [];
  return {
    written,
    info: (line) => {
      written.push(line);
    },
  };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the logger backend', () => {
  it('writes one line of JSON per event', async () => {
    const logger = lines();
    const { tracker } = logged({ logger });
    const { event } = await tracker.emitAsync('e', { text: 'a\nb\r\n', n: 1 });
    expect(logger.written).toStrictEqual([event && eventJson(event)]);
    expect(logger.written[0]).not.toMatch(/[\r\n]/);
    expect(tracker.stats().backends['logs']).toStrictEqual({
      accepted: 1,
      delivered: 1,
      retried: 0,
      dead: 0,
      dropped: {},
      depth: 0,
      state: 'ok',
    });
  });

  it('escapes what some readers take for the end of a line', () => {
    const logger = lines();
    const { tracker } = logged({ logger });
    const text = 'a\u2028b\u2029c\u0085d';
    tracker.emit('e', { text });
    const [line = ''] = logger.written;
    expect(line).toContain('a\\u2028b\\u2029c\\u0085d');
    expect(JSON.parse(line)).toMatchObject({ data: { text } });
  });

  it('writes to the console by default', () => {
    const info = jest.spyOn(console, 'info').mockReturnValue();
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    logged({}).tracker.emit('e');
    record({ backends: { logs: loggerBackend() } }).tracker.emit('f');
    logged({ level: 'warn' }).tracker.emit('g');
    expect(info.mock.calls.map(([line]) => nameIn(line))).toStrictEqual(['e', 'f']);
    expect(warn.mock.calls.map(([line]) => nameIn(line))).toStrictEqual(['g']);
  });

  it("takes Nest's logger, which has no `info`", () => {
    const log = jest.fn();
    const logger = new Logger('events', { timestamp: false });
    Logger.overrideLogger(Object.assign(new ConsoleLogger(), { log }));
    logged({ logger }).tracker.emit('e');
    expect(nameIn(log.mock.calls[0]?.[0])).toBe('e');
  });

  it('calls the method of any level, on the logger', () => {
    class Custom {
      readonly written: string[] = [];
      audit(line: string): this {
        this.written.push(line);
        return this;
      }
    }
    const logger = new Custom();
    logged({ logger: untyped(logger), level: 'audit' }).tracker.emit('e');
    expect(logger.written.map(nameIn)).toStrictEqual(['e']);
  });

  it('sees a level that the logger exchanges later', () => {
    const logger = lines();
    const { tracker } = logged({ logger });
    const later: string[] = [];
    logger.info = (line) => later.push(line);
    tracker.emit('e');
    expect(later).toHaveLength(1);
  });

  it('refuses what is too large, for the same reason wherever one looks', async () => {
    const logger = lines();
    const sized = record();
    sized.tracker.emit('e', { text: 'ééé' });
    const bytes = eventBytes(sized.last());
    const { tracker, reports } = logged({ logger, maxBytes: bytes });
    tracker.emit('e', { text: 'ééé' });
    const { outcomes } = await tracker.emitAsync('e', { text: 'éééa' });
    expect(logger.written).toHaveLength(1);
    expect(outcomes['logs']).toStrictEqual({ status: 'dropped', reason: 'too_large' });
    expect(reports).toMatchObject([
      {
        code: 'too_large',
        path: 'logs',
        message: `"e" was dropped: its ${bytes + 1} bytes are more than maxBytes (${bytes})`,
      },
    ]);
    expect(tracker.stats().backends['logs']).toMatchObject({
      accepted: 1,
      delivered: 1,
      dropped: { too_large: 1 },
      lastError: `its ${bytes + 1} bytes are more than maxBytes (${bytes})`,
    });
  });

  it('throws a TrackingError where it is used without a tracker', () => {
    const backend = loggerBackend({ logger: lines(), maxBytes: 1 });
    const { tracker, last } = record();
    tracker.emit('e');
    expect(() => backend.send(last())).toThrow(expect.objectContaining({ code: 'too_large' }));
    expect(backend.stats).toBeUndefined();
  });

  it('takes a logger that is a function with methods', () => {
    const log = lines();
    const logger = Object.assign(() => undefined, { info: log.info });
    logged({ logger: untyped(logger) }).tracker.emit('e');
    expect(log.written).toHaveLength(1);
  });

  it('counts and reports a logger that throws', () => {
    const logger = {
      info: () => {
        throw new Error('disk full');
      },
    };
    const { tracker, codes } = logged({ logger });
    tracker.emit('e');
    expect(codes()).toStrictEqual(['backend_failed']);
    expect(tracker.stats().backends['logs']).toMatchObject({
      accepted: 0,
      dropped: { failed: 1 },
      lastError: 'disk full',
    });
  });

  it('waits for a logger that returns a promise', async () => {
    const { promise, resolve, reject } = deferred();
    const answers = [promise, Promise.resolve()];
    const { tracker, codes } = logged({
      logger: { info: () => answers.shift() },
    });
    const first = tracker.emitAsync('e');
    expect((await tracker.emitAsync('e')).outcomes['logs']?.status).toBe('accepted');
    reject(new Error('disk full'));
    resolve();
    expect((await first).outcomes['logs']?.status).toBe('failed');
    expect(codes()).toStrictEqual(['backend_failed']);
    expect(tracker.stats().backends['logs']).toMatchObject({
      accepted: 1,
      dropped: { failed: 1 },
    });
  });

  it.each<[unknown, string]>([
    [null, 'expected options to be an object, got null'],
    [{ maxBytes: 0 }, 'expected maxBytes to be a positive integer, got 0'],
    [{ maxBytes: '1k' }, 'expected maxBytes to be a positive integer, got "1k"'],
    [{ level: 7 }, 'expected level to be the name of a method of the logger, got 7'],
    [{ level: 'loud' }, 'expected logger.loud to be a function, got undefined'],
    [{ logger: {} }, 'expected logger.info to be a function, got undefined'],
    [{ logger: null }, 'expected logger to be a logger, got null'],
    [{ logger: 'stdout' }, 'expected logger to be a logger, got "stdout"'],
    [{ maxBytes: 1.5 }, 'expected maxBytes to be a positive integer, got 1.5'],
    [{ logger: { log: () => 1 }, level: 'warn' }, 'expected logger.warn to be a function, got undefined'],
    [{ file: 'x' }, 'file is not an option; known are logger, level, maxBytes'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(() => loggerBackend(untyped(options)))).toStrictEqual([
      'the options of loggerBackend() are wrong:',
      problem,
    ]);
  });
});

function nameIn(line: unknown): unknown {
  return (JSON.parse(String(line)) as { name: unknown }).name;
}
