import { Controller, Get, Inject } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { getTrackerToken } from 'nestjs-tracking';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

@Controller('orders')
class Orders {
  constructor(@Inject(getTrackerToken()) private readonly tracker: Tracker) {}

  @Get(':id')
  show(): string {
    this.tracker.emit('order.shown', { id: 7 });
    return 'ok';
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('a request on %s', (adapter) => {
  it('is the context of its events', async () => {
    const { visit, event, reports } = await nestApp(adapter)
      .controllers(Orders)
      .start();
    expect(await visit('/orders/7?secret=1')).toBe(200);
    expect((await event('order.shown')).context).toMatchObject({
      request: { method: 'GET', path: '/orders/7', route: '/orders/:id' },
      handler: { kind: 'http', class: 'Orders', method: 'show' },
    });
    expect(reports).toStrictEqual([]);
  });
});
