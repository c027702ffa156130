import type { ServerResponse } from 'node:http';

const GATED = ['writeHead', 'flushHeaders', 'write', 'end'] as const;
type Gated = (typeof GATED)[number];
type Method = (...args: unknown[]) => unknown;

/** Decides over a response that is about to leave with this status. */
export type MayLeave = (status: number) => boolean | Promise<boolean>;

/**
 * Keeps a response back until somebody says that it may leave, or answers 503 in its place.
 *
 * Works on Node's own response, below Express and Fastify: what they call meanwhile is written down and called later,
 * in order. `write` answers false until then, so that streams wait.
 */
export function gateResponse(
  response: ServerResponse,
  mayLeave: MayLeave,
): void {
  new ResponseGate(response, mayLeave).install();
}

class ResponseGate {
  private state: 'untouched' | 'waiting' | 'open' | 'refused' = 'untouched';
  private calls: { readonly name: Gated; readonly args: unknown[] }[] = [];
  private readonly originals = new Map<Gated, Method>();

  constructor(
    private readonly response: ServerResponse,
    private readonly mayLeave: MayLeave,
  ) {}

  install(): void {
    const methods = this.response as unknown as Record<Gated, Method>;
    for (const name of GATED) {
      // Kept as found: another middleware may have wrapped them before us.
      this.originals.set(name, methods[name]);
      methods[name] = (...args) => this.intercept(name, args);
    }
    // Frameworks ask these before they write an error's answer on top of one that is already on its way.
    this.answerMeanwhile('headersSent', () => this.calls.length > 0);
    this.answerMeanwhile('writableEnded', () =>
      this.calls.some(({ name }) => name === 'end'),
    );
  }

  private intercept(name: Gated, args: unknown[]): unknown {
    if (this.state === 'open') {
      return this.call(name, args);
    }
    if (this.state === 'untouched') {
      this.ask(
        name === 'writeHead' ? Number(args[0]) : this.response.statusCode,
      );
      return this.intercept(name, args);
    }
    if (this.state === 'waiting') {
      this.calls.push({ name, args });
    }
    return name === 'write' ? false : this.response;
  }

  private ask(status: number): void {
    this.state = 'waiting';
    const answer = this.mayLeave(status);
    if (typeof answer === 'boolean') {
      this.decide(answer);
    } else {
      void answer.then((leaves) => {
        this.decide(leaves);
      });
    }
  }

  private decide(leaves: boolean): void {
    const { calls } = this;
    this.calls = [];
    if (!leaves) {
      this.refuse();
      return;
    }
    this.state = 'open';
    for (const { name, args } of calls) {
      this.call(name, args);
    }
    if (calls.some(({ name }) => name === 'write')) {
      this.response.emit('drain');
    }
  }

  private refuse(): void {
    const { response } = this;
    // `end` writes the head through the gate.
    this.state = 'open';
    for (const header of response.getHeaderNames()) {
      if (describesBody(header)) {
        response.removeHeader(header);
      }
    }
    response.statusCode = 503;
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.setHeader('cache-control', 'no-store');
    this.call('end', ['{"statusCode":503,"message":"Service Unavailable"}']);
    this.state = 'refused';
  }

  private call(name: Gated, args: unknown[]): unknown {
    return this.originals.get(name)?.apply(this.response, args);
  }

  private answerMeanwhile(
    property: 'headersSent' | 'writableEnded',
    meanwhile: () => boolean,
  ): void {
    const prototype = Object.getPrototypeOf(this.response) as object;
    Object.defineProperty(this.response, property, {
      configurable: true,
      get: () =>
        this.state === 'waiting'
          ? meanwhile()
          : (Reflect.get(prototype, property, this.response) as boolean),
    });
  }
}

/** Headers of the answer that was not given: its body, its caching, where it sent the client. */
function describesBody(header: string): boolean {
  return (
    /^(content-|etag$|last-modified$|location$|set-cookie$)/.test(header) ||
    header === 'transfer-encoding'
  );
}
