import './events.js';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { InjectTracker, Track } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';
import { InvoicesModule, InvoicesService } from './invoices.module.js';

@Controller('orders')
export class OrdersController {
  constructor(
    @InjectTracker() private readonly tracker: Tracker,
    private readonly invoices: InvoicesService,
  ) {}

  @Get()
  create(): string {
    this.tracker.emit('order.created', { order: 7 });
    this.invoices.send(7);
    return 'created';
  }

  @Post('paid')
  @Track('order.paid', { data: (paid: boolean) => ({ paid }) })
  pay(): boolean {
    return true;
  }
}

@Module({ imports: [InvoicesModule], controllers: [OrdersController] })
export class OrdersModule {}
