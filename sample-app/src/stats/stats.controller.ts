import { Controller, Get, Header } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import { StatsService } from './stats.service.js';
import { statsTable } from './stats-table.js';
import type { Stats } from './stats.js';

@Controller()
export class StatsController {
  constructor(private readonly stats: StatsService) {}

  @Get('stats')
  @Track('stats.viewed', { data: () => ({ as: 'json' }) })
  read(): Promise<Stats> {
    return this.stats.read();
  }

  /** The same for a terminal: `curl -s http://127.0.0.1:3000/stats.txt`. */
  @Get('stats.txt')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Track('stats.viewed', { data: () => ({ as: 'text' }) })
  async draw(): Promise<string> {
    return statsTable(await this.stats.read());
  }
}
