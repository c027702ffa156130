import process from 'node:process';
import { isatty } from 'node:tty';
import type { LogLevel } from '@nestjs/common';
import { ConsoleLogger } from '@nestjs/common';

/** Nest's own logger, on standard error: standard output belongs to the events. */
export class StderrLogger extends ConsoleLogger {
  constructor() {
    super({
      logLevels: ['warn', 'error', 'fatal'],
      colors: isatty(process.stderr.fd),
    });
  }

  protected override printMessages(
    messages: unknown[],
    context?: string,
    logLevel?: LogLevel,
    _stream?: 'stdout' | 'stderr',
    errorStack?: unknown,
    params?: Record<string, unknown>,
  ): void {
    super.printMessages(messages, context, logLevel, 'stderr', errorStack, params);
  }
}
