/** What a request of Node, Express or Fastify shows of itself. Structural: no framework is named here. */
export interface IncomingRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The URL before any router cut a prefix from it. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What frameworks and their plugins add to it, as far as we look. */
export interface DecoratedRequest {
  /** Node's own request below Fastify's: what Nest's middleware decorates there. */
  readonly raw?: unknown;
  readonly ip?: unknown;
  readonly user?: unknown;
  readonly session?: unknown;
  /** Set by express-session. */
  readonly sessionID?: unknown;
  /** The matched route of Express, below `baseUrl`. */
  readonly route?: { readonly path?: unknown };
  readonly baseUrl?: unknown;
  /** Express's response. */
  readonly res?: unknown;
  /** The matched route of Fastify. */
  readonly routeOptions?: { readonly url?: unknown };
  readonly socket?: { readonly remoteAddress?: string | undefined };
}
