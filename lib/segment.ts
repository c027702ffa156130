/** `nestjs-tracking/segment`: delivery to Segment and RudderStack. */
export type { SegmentCall, SegmentHead, SegmentMessage } from './formats/segment-message.js';
export type { SegmentBackendOptions } from './http/segment-backend.js';
export { segmentBackend } from './http/segment-backend.js';
