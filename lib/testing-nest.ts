/** `nestjs-tracking/testing/nest`: tracking in tests of Nest apps. */
export { TrackingProbe } from './testing/tracking-probe.js';
export { TrackingTestingModule } from './testing/tracking-testing.module.js';
