import './events.js';
import { Injectable, Module } from '@nestjs/common';
import { InjectTracker, TrackingModule, WithContext } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';

@Injectable()
export class InvoicesService {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @WithContext('invoice', (order: number) => ({ invoice: { order } }))
  send(order: number): void {
    this.tracker.emit('invoice.sent', { invoice: `for ${order}` });
  }

  neverCalled(): void {
    // @ts-expect-error -- the names are those that this app declared
    this.tracker.emit('invoice.snet', { invoice: 'none' });
  }
}

@Module({
  imports: [TrackingModule.forFeature({ context: { feature: 'invoices' } })],
  providers: [InvoicesService],
  exports: [InvoicesService],
})
export class InvoicesModule {}
