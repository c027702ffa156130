import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';

/** What the environment can set. */
@Injectable()
export class Settings {
  /** 0 takes any free port. */
  readonly port = Number(process.env['PORT'] ?? 3000);
  /** What outlives the process: the counters, and the events that wait for the collector. */
  readonly dataDir = process.env['DATA_DIR'] ?? fileURLToPath(new URL('../data', import.meta.url));
  /** Where the counters are kept instead, such as `redis://127.0.0.1:6379`. */
  readonly redisUrl = process.env['REDIS_URL'];
  /** Where events are sent to, such as `http://127.0.0.1:3001`. Default: nowhere. */
  readonly collectorUrl = process.env['COLLECTOR_URL'];
}
