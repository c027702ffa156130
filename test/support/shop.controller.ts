import type { CanActivate } from '@nestjs/common';
import {
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Redirect,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { Readable } from 'node:stream';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker, Track } from 'nestjs-tracking';
import { turns } from './http-app.js';
import type { Deferred } from './recording.js';
import { deferred } from './recording.js';

/** What handlers of the shop wait for. */
let gate: Deferred = deferred();

/** The handlers of the next test wait again. */
export function shutGate(): void {
  gate = deferred();
}

export function openGate(): void {
  gate.resolve();
}

/** Resolves when the gate opens. */
export function gateOpens(): Promise<void> {
  return gate.promise;
}

@Injectable()
class Denied implements CanActivate {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  canActivate(): boolean {
    this.tracker.emit('denied');
    return false;
  }
}

/** Ways in which a handler may end. */
@Controller()
export class Shop {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('ok')
  ok(): string {
    this.tracker.emit('seen');
    return 'ok';
  }

  @Get('conflict')
  conflict(): never {
    this.tracker.emit('seen');
    throw new ConflictException('taken');
  }

  @Get('broken')
  async broken(): Promise<never> {
    await turns(1);
    this.tracker.emit('seen');
    throw new TypeError('broken');
  }

  @Get('guarded')
  @UseGuards(Denied)
  guarded(): string {
    return 'never';
  }

  @Get('waiting')
  async waiting(): Promise<string> {
    this.tracker.emit('begun');
    await gate.promise;
    this.tracker.emit('done');
    return 'ok';
  }

  @Get('late')
  late(): string {
    this.tracker.emit('seen');
    void gate.promise.then(() => {
      this.tracker.emit('late');
    });
    return 'ok';
  }

  @Get('many')
  async many(): Promise<string> {
    for (let i = 0; i < 5; i++) {
      this.tracker.emit('item', { i });
    }
    await gate.promise;
    return 'ok';
  }

  @Get('at-once')
  async atOnce(): Promise<object> {
    this.tracker.emit('held');
    return this.tracker.emitAsync('at once');
  }

  @Get('empty')
  @HttpCode(204)
  @Track('emptied')
  empty(): void {
    this.tracker.enterContext('basket', { basket: 7 });
  }

  @Get('moved')
  @Redirect('/ok', 302)
  @Track('moved')
  moved(): void {
    // The decorators do it all.
  }

  @Get('file')
  file(): StreamableFile {
    this.tracker.emit('seen');
    return new StreamableFile(Readable.from(['a', 'b']));
  }
}
