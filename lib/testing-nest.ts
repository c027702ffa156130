/** `nestjs-tracking/testing/nest`: tracking in tests of Nest apps. */
export { TrackingProbe, TrackingTestingModule } from './testing/tracking-testing.module.js';
