import type { buildConnector, Dispatcher } from 'undici';
import { Agent } from 'undici';
import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/describe.js';
import { classifyAnswer } from '../delivery/classify-answer.js';
import { retryAfterMs } from '../delivery/retry-after.js';
import type { SendInfo, Transport } from '../delivery/transport.js';
import type { DestinationAnswer, Encoder, SendError, SendResult } from '../formats/encoder.js';
import { answerBody, letGo, readableBody } from './answer-body.js';
import { authHeaders } from './auth.js';
import { outcomeBy } from './format-answers.js';
import type { HttpBackendOptions, TlsOptions } from './http-options.js';
import type { HttpPayload } from './http-payload.js';
import type { HttpSettings } from './http-settings.js';
import { withoutSecrets } from './secrets.js';
import { requestUrl, shownUrl } from './shown-url.js';

/** Idle connections are closed before most servers close them. */
const KEEP_ALIVE_MS = 4_000;
const MAX_SHOWN_BODY = 4_096;

/** Sends payloads over HTTP, on connections of its own unless the app brings a dispatcher. */
export class HttpTransport implements Transport<HttpPayload> {
  private readonly dispatcher: Dispatcher;
  private readonly isOwn: boolean;

  constructor(
    private readonly encoder: Encoder,
    private readonly settings: () => HttpSettings,
    private readonly clock: Clock,
    options: Pick<HttpBackendOptions, 'dispatcher' | 'tls'>,
  ) {
    this.isOwn = options.dispatcher === undefined;
    this.dispatcher = options.dispatcher ?? ownDispatcher(options.tls);
  }

  async send(payload: HttpPayload, info: SendInfo): Promise<SendResult> {
    const settings = this.settings();
    const limit = this.encoder.maxBytes ?? Infinity;
    if (payload.bytes > limit) {
      const message = `a body of ${payload.bytes} bytes is above the limit of the format ${this.encoder.name} (${limit})`;
      return { status: 'tooLarge', error: { message } };
    }
    if (settings.noEmit) {
      return { status: 'delivered' };
    }
    const method = payload.encoded.method ?? 'POST';
    const url = requestUrl(settings.url, payload.encoded.path);
    const what = `${method} ${shownUrl(url)}`;
    let signed: Readonly<Record<string, string>> = {};
    try {
      signed = await authHeaders(settings.auth);
      const answer = await this.dispatcher.request({
        ...{ origin: url.origin, path: url.pathname + url.search, method },
        headers: { ...payload.headers, ...signed },
        signal: info.signal,
        headersTimeout: settings.timeoutMs,
        bodyTimeout: settings.timeoutMs,
        ...(payload.body === undefined ? {} : { body: payload.body }),
      });
      return await this.read(answer, info, what, signed);
    } catch (error) {
      const message = `${what} failed: ${errorMessage(error)}`;
      return { status: 'retryable', error: this.shown({ message }, signed) };
    }
  }

  async close(): Promise<void> {
    if (this.isOwn) {
      await this.dispatcher.destroy();
    }
  }

  private async read(
    { statusCode: httpStatus, headers, body }: Dispatcher.ResponseData,
    info: SendInfo,
    what: string,
    signed: Readonly<Record<string, string>>,
  ): Promise<SendResult> {
    const isTaken = httpStatus >= 200 && httpStatus < 300;
    if (isTaken && this.encoder.outcome === undefined) {
      // It has taken the batch: whatever else it says, and however slowly, does not change that.
      letGo(body, this.clock);
      return { status: 'delivered' };
    }
    const text = await (isTaken ? answerBody(body) : readableBody(body, this.clock));
    const { 'retry-after': header } = headers;
    const after = retryAfterMs(Array.isArray(header) ? header[0] : header, this.clock.now());
    const given = after === undefined ? {} : { retryAfterMs: after };
    const answer: DestinationAnswer = {
      ...{ httpStatus, headers, body: text, ...given },
    };
    const own = outcomeBy(this.encoder, answer, info.events);
    if (own !== undefined) {
      return 'error' in own ? { ...own, error: this.shown(own.error, signed) } : own;
    }
    const error = this.shown(
      {
        ...{ message: `${what} answered HTTP ${httpStatus}`, httpStatus },
        ...(text === '' ? {} : { body: text }),
      },
      signed,
    );
    return classifyAnswer(httpStatus, error, after);
  }

  /** Without credentials, which a destination may repeat in its answer. */
  private shown(error: SendError, signed: Readonly<Record<string, string>>): SendError {
    const clean = (text: string): string => withoutSecrets(text, this.settings(), signed);
    return {
      ...error,
      message: clean(error.message),
      ...(error.body === undefined ? {} : { body: clean(error.body).slice(0, MAX_SHOWN_BODY) }),
    };
  }
}

function ownDispatcher(tls: TlsOptions | undefined): Dispatcher {
  return new Agent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    // How many are open is bounded by the lanes of the delivery.
    connections: null,
    ...(tls === undefined ? {} : { connect: tls as buildConnector.BuildOptions }),
  });
}
