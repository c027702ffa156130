import 'nestjs-tracking';

declare module 'nestjs-tracking' {
  interface TrackedEvents {
    'order.created': { order: number };
    'order.paid': { paid: boolean };
    'invoice.sent': { invoice: string };
    'chat.said': { text: string };
  }
}
