import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectTracker, Track } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';
import { trackingMatchers } from 'nestjs-tracking/testing';
import { TrackingProbe, TrackingTestingModule } from 'nestjs-tracking/testing/nest';

expect.extend(trackingMatchers);

@Controller('orders')
class OrdersController {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get()
  @Track('order.listed')
  list(): string {
    this.tracker.emit('order.seen', { order: 7 });
    return 'listed';
  }
}

describe('a test of an app, in CommonJS', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [TrackingTestingModule.forRoot()],
      controllers: [OrdersController],
    }).compile();
    app = module.createNestApplication();
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  it('sees the events', async () => {
    await fetch(`${await app.getUrl()}/orders`);
    const probe = app.get(TrackingProbe);
    expect(probe.named('order.listed')).toHaveLength(1);
    expect((await probe.waitFor('order.seen')).context).toMatchObject({
      request: { method: 'GET', path: '/orders' },
      handler: { kind: 'http', class: 'OrdersController', method: 'list' },
    });
  });
});
