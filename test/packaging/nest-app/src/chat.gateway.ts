import './events.js';
import { UseInterceptors } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { InjectTracker, TrackingInterceptor } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';

/** Nest 12 needs no decorator here; on Nest 11 global enhancers do not reach gateways. */
@WebSocketGateway()
@UseInterceptors(TrackingInterceptor)
export class ChatGateway {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @SubscribeMessage('say')
  say(@MessageBody() text: string): { event: string; data: string } {
    this.tracker.emit('chat.said', { text });
    return { event: 'said', data: text };
  }
}
