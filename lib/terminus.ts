/** `nestjs-tracking/terminus`: health of what delivers events, for `@nestjs/terminus`. */
export type { BackendHealth, TrackingHealthOptions } from './terminus/tracking-health.js';
export type { TrackingHealthDetails } from './terminus/tracking.health.js';
export { TrackingHealthIndicator } from './terminus/tracking.health.js';
