import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';

/** Requests in flight have this long to end. */
const GRACE_MS = 2_000;

/**
 * Closes the connections that a shutdown would otherwise wait for: browsers open some in advance and never ask anything,
 * so that to Node they are not idle.
 */
@Injectable()
export class LastConnections implements BeforeApplicationShutdown, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly host: HttpAdapterHost) {}

  beforeApplicationShutdown(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    this.timer = setTimeout(() => {
      server.closeAllConnections();
    }, GRACE_MS);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
  }
}
