import type { ExecutionContext } from '@nestjs/common';
import { isRecord } from '../core/options.js';
import type { RequestSource } from '../express/request-options.js';

const NOTHING: RequestSource = Object.freeze({});

/** What `user` and `session` are asked with where there is no HTTP request of our own. */
export function sourceOf(execution: ExecutionContext): RequestSource {
  switch (execution.getType<string>()) {
    case 'ws':
      return asSource(execution.switchToWs().getClient());
    case 'rpc':
      return asSource(execution.switchToRpc().getContext());
    case 'graphql':
      return graphqlRequest(execution) ?? asSource(graphqlContext(execution));
    default:
      return NOTHING;
  }
}

/** The HTTP request behind a GraphQL operation: where Apollo, Mercurius and graphql-ws put it. */
export function graphqlRequest(execution: ExecutionContext): RequestSource | undefined {
  const context = graphqlContext(execution);
  if (!isRecord(context)) {
    return undefined;
  }
  const { req, reply, extra } = context;
  const request =
    req ??
    (isRecord(reply) ? reply['request'] : undefined) ??
    (isRecord(extra) ? extra['request'] : undefined);
  return isRecord(request) ? request : undefined;
}

/** The third argument of every resolver: (parent, args, context, info). */
export function graphqlContext(execution: ExecutionContext): unknown {
  return execution.getArgByIndex<unknown>(2);
}

function asSource(value: unknown): RequestSource {
  return isRecord(value) ? value : NOTHING;
}
