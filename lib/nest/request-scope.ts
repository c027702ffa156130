import type { ContextStore } from '../core/context-store.js';
import type { Scope } from '../core/scope.js';
import { isRecord } from '../core/options.js';

/** The scope of an HTTP request, which is remembered by Node's own request: Fastify's has it below. */
export function requestScope(store: ContextStore, request: { readonly raw?: unknown }): Scope | undefined {
  return store.scopeOf(request) ?? (isRecord(request.raw) ? store.scopeOf(request.raw) : undefined);
}
