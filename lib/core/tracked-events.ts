/**
 * The names and payloads of an app's events, declared once by augmenting this interface; every `Tracker` without a type
 * parameter then knows them. Empty, it leaves names and payloads free.
 *
 * @example
 * declare module 'nestjs-tracking' {
 *   interface TrackedEvents {
 *     'donation.received': { amount: number; currency: string };
 *   }
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- apps fill it by augmentation
export interface TrackedEvents {}
