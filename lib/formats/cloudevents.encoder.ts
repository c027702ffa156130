import type { TrackingEvent } from '../core/event.js';
import { eventDataJson } from '../core/event.js';
import type { Problems } from '../core/options.js';
import { checkedOptions, checkOneOf } from './encoder-options.js';
import type { Encoder } from './encoder.js';
import type { ContextJson } from './json-parts.js';
import { contextTexts, jsonArray } from './json-parts.js';
import { PACKAGE_NAME } from './package-name.js';

export interface CloudeventsEncoderOptions {
  /**
   * What the events come from: a URI reference, such as `https://shop.example/orders`; together with `id` it should be
   * unique in the world. Default: `/nestjs-tracking`.
   */
  readonly source?: string;
  /** What an event is about inside the source. Default, and where it answers nothing: no `subject`. */
  readonly subject?: (event: TrackingEvent) => string | undefined;
  /**
   * Where an event's context goes. CloudEvents lets an extension be a text, a number or a boolean, no object.
   * `extension`: as JSON in the text extension `trackingcontext`; `data` is the payload. `data`: `data` is
   * `{ payload, context }`. Default: `extension`.
   */
  readonly context?: 'extension' | 'data';
}

/**
 * CloudEvents 1.0, the JSON batch format. `id` and `time` are the event's, `type` is its name.
 *
 * @throws TrackingError `invalid_options`
 */
export function cloudeventsEncoder(options: CloudeventsEncoderOptions = {}): Encoder {
  const {
    source = `/${PACKAGE_NAME}`,
    subject = () => undefined,
    context = 'extension',
  } = checkedOptions('cloudeventsEncoder', options, ['source', 'subject', 'context'], check);
  const sourceJson = JSON.stringify(source);
  const content = context === 'extension' ? contextAsExtension : contextBesidePayload;
  return {
    name: 'cloudevents',
    encode: (batch) => {
      const contextJson = contextTexts();
      const items = batch.map((event) => {
        const { id, name, timestamp } = event;
        return `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${sourceJson},"type":${JSON.stringify(name)},"time":${JSON.stringify(timestamp)}${subjectMember(subject(event))},"datacontenttype":"application/json",${content(event, contextJson)}}`;
      });
      return {
        contentType: 'application/cloudevents-batch+json',
        body: jsonArray(items),
      };
    },
  };
}

function subjectMember(subject: unknown): string {
  // An empty subject is not allowed.
  return typeof subject === 'string' && subject !== '' ? `,"subject":${JSON.stringify(subject)}` : '';
}

function contextAsExtension(event: TrackingEvent, contextJson: ContextJson): string {
  const text = JSON.stringify(contextJson(event.context));
  return `"trackingcontext":${text},"data":${eventDataJson(event)}`;
}

function contextBesidePayload(event: TrackingEvent, contextJson: ContextJson): string {
  return `"data":{"payload":${eventDataJson(event)},"context":${contextJson(event.context)}}`;
}

function check({ source, subject, context }: CloudeventsEncoderOptions, problems: Problems): void {
  problems.optional(source, (value: unknown) => {
    if (typeof value !== 'string' || !/^\S+$/.test(value)) {
      problems.add('source', 'a URI reference without spaces', value);
    }
  });
  problems.optional(subject, (value) => {
    problems.function('subject', value);
  });
  problems.optional(context, (value) => {
    checkOneOf(problems, 'context', value, ['extension', 'data']);
  });
}
