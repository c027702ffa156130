import type { ServerResponse } from 'node:http';
import { headersToKeep, rehearseBody, rehearseHead } from './response-rehearsal.js';

const GATED = ['writeHead', 'flushHeaders', 'write', 'end'] as const;
type Gated = (typeof GATED)[number];
type Method = (...args: unknown[]) => unknown;

interface Call {
  readonly name: Gated;
  readonly args: readonly unknown[];
}

/** Where Node and many middlewares look whether a head was written: truthy once it was. */
interface WithHead {
  _header?: string | null;
}

/** Who decides over a response. */
export interface Gatekeeper {
  /** A response is about to leave with this status. Never rejects. */
  mayLeave(status: number): boolean | Promise<boolean>;
  /** A response that was kept back could not be written; its connection was closed. */
  failed(error: unknown): void;
}

const UNAVAILABLE = '{"statusCode":503,"message":"Service Unavailable"}';

/**
 * Keeps a response back until somebody says that it may leave, or answers 503 in its place. Works on Node's own response,
 * below Express and Fastify.
 *
 * Invariants
 * - Nothing is asked before the first byte would leave: a head alone waits for its body.
 * - Meanwhile the response looks as if its head were written: status and headers are those of that moment, and changing
 *   headers throws as it does in Node. What is called is written down and called later, in order; `write` answers false,
 *   so that streams wait.
 * - What Node would refuse is refused at once, in the face of the caller.
 * - A response that was replaced swallows the rest of the first one, as if the client were gone, and calls back.
 */
export class ResponseGate {
  private state: 'shut' | 'asked' | 'open' | 'refused' = 'shut';
  private calls: Call[] = [];
  private status = 0;
  private readonly originals = new Map<Gated, Method>();

  constructor(
    private readonly response: ServerResponse,
    private readonly keeper: Gatekeeper,
  ) {
    const methods = response as unknown as Record<Gated, Method>;
    for (const name of GATED) {
      // Kept as found: another middleware may have wrapped them before us.
      this.originals.set(name, methods[name]);
      methods[name] = (...args) => this.intercept({ name, args });
    }
    // Frameworks ask these before they write an error's answer on top of one that is already on its way.
    this.answerMeanwhile('headersSent', () => true);
    this.answerMeanwhile('writableEnded', () => this.calls.some(({ name }) => name === 'end'));
  }

  /** Whether the response seems to be on its way, but is not. */
  get holdsBack(): boolean {
    return this.calls.length > 0;
  }

  private intercept(call: Call): unknown {
    switch (this.state) {
      case 'open':
        return this.call(call);
      case 'refused':
        return this.swallow(call);
    }
    this.rehearse(call);
    if (!this.holdsBack) {
      this.settleHead(call);
    }
    this.calls.push(call);
    return this.state === 'shut' && call.name !== 'writeHead' ? this.ask(call) : this.meanwhile(call);
  }

  private ask(call: Call): unknown {
    this.state = 'asked';
    const answer = this.keeper.mayLeave(this.status);
    if (typeof answer === 'boolean') {
      return this.decide(answer);
    }
    void answer.then((leaves) => {
      this.decideLate(leaves);
    });
    return this.meanwhile(call);
  }

  private decideLate(leaves: boolean): void {
    const { calls, response } = this;
    try {
      this.decide(leaves);
      const isFull = response.writableNeedDrain || response.writableEnded;
      // Those who were told to wait go on, unless the socket is full: then Node tells them.
      if (!isFull && calls.some(({ name }) => name === 'write')) {
        response.emit('drain');
      }
    } catch (error) {
      response.destroy();
      this.keeper.failed(error);
    }
  }

  /** Answers what the last call answers. */
  private decide(leaves: boolean): unknown {
    const { calls } = this;
    this.calls = [];
    this.showHead(null);
    this.response.statusCode = this.status;
    this.state = 'open';
    if (!leaves) {
      this.refuse(calls);
      this.state = 'refused';
    }
    let last: unknown;
    for (const call of calls) {
      last = leaves ? this.call(call) : this.swallow(call);
    }
    return last;
  }

  private refuse([first]: readonly Call[]): void {
    const { response } = this;
    const kept = headersToKeep(response, first?.name === 'writeHead' ? first.args : []);
    for (const name of response.getHeaderNames()) {
      response.removeHeader(name);
    }
    const head = {
      ...kept,
      'content-type': 'application/json; charset=utf-8',
      'content-length': UNAVAILABLE.length,
      'cache-control': 'no-store',
    };
    const { method, httpVersionMajor } = response.req;
    const message = httpVersionMajor > 1 ? [] : ['Service Unavailable'];
    this.call({ name: 'writeHead', args: [503, ...message, head] });
    this.call({ name: 'end', args: method === 'HEAD' ? [] : [UNAVAILABLE] });
  }

  private rehearse({ name, args }: Call): void {
    const { req, statusCode } = this.response;
    if (name === 'writeHead') {
      rehearseHead(req, args, this.holdsBack);
    } else if (!this.holdsBack && !(statusCode >= 100 && statusCode <= 999)) {
      rehearseHead(req, [statusCode], false);
    }
    if (name === 'write' || name === 'end') {
      rehearseBody(req, name, args[0]);
    }
  }

  /** From here on status and headers stay as they are. */
  private settleHead({ name, args }: Call): void {
    if (name === 'writeHead') {
      this.response.statusCode = Math.trunc(Number(args[0]));
    }
    this.status = this.response.statusCode;
    this.showHead('kept back');
  }

  private swallow(call: Call): unknown {
    const callback = call.args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
    if (call.name === 'end' && !this.response.writableFinished) {
      this.response.once('finish', () => callback?.());
    } else if (callback !== undefined) {
      queueMicrotask(callback);
    }
    return this.meanwhile(call);
  }

  private meanwhile({ name }: Call): unknown {
    switch (name) {
      case 'write':
        return false;
      case 'flushHeaders':
        return undefined;
      default:
        return this.response;
    }
  }

  private call({ name, args }: Call): unknown {
    return this.originals.get(name)?.apply(this.response, [...args]);
  }

  private showHead(text: string | null): void {
    const response = this.response as WithHead;
    // The responses of HTTP/2 have none of their own.
    if (Object.hasOwn(response, '_header')) {
      response._header = text;
    }
  }

  private answerMeanwhile(property: 'headersSent' | 'writableEnded', meanwhile: () => boolean): void {
    const prototype = Object.getPrototypeOf(this.response) as object;
    Object.defineProperty(this.response, property, {
      configurable: true,
      get: () =>
        this.holdsBack ? meanwhile() : (Reflect.get(prototype, property, this.response) as boolean),
    });
  }
}
