import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, it } from '@jest/globals';
import { resolveRequestOptions } from '../../../lib/express/request-options.js';
import { RequestTracking } from '../../../lib/express/request-tracking.js';
import { ExecutionScopes } from '../../../lib/nest/execution-scopes.js';
import { inside, record } from '../../support/recording.js';

class Resolvers {
  first(): void {
    // Only its name is looked at.
  }
}

function execution(type: string, ...args: unknown[]): ExecutionContext {
  const { first } = Resolvers.prototype;
  const host = new ExecutionContextHost(args, Resolvers, first);
  host.setType(type);
  return host;
}

function operation(context: unknown): ExecutionContext {
  return execution('graphql', {}, {}, context, {});
}

function made() {
  const { tracker } = record();
  const { runtime } = inside(tracker);
  const requests = new RequestTracking(inside(tracker), resolveRequestOptions());
  return {
    tracker,
    store: runtime.store,
    scopes: new ExecutionScopes(requests, true),
  };
}

describe('the scope of an execution', () => {
  it.each(['ws', 'rpc', 'graphql'])(
    'of %s is the same whenever it is asked for, or the one inside it',
    (type) => {
      const { scopes, store } = made();
      const asked = execution(type, {}, {}, {}, {});
      const scope = scopes.scopeOf(asked);
      expect(scopes.scopeOf(asked)).toBe(scope);
      store.run(scope, () => {
        store.nested('inner', {}, () => {
          expect(scopes.scopeOf(asked)).toBe(store.current());
        });
      });
      expect(scopes.scopeOf(execution(type, {}, {}, {}, {}))).not.toBe(scope);
    },
  );

  it.each(['ws', 'rpc', 'graphql'])(
    'of %s is outside of what was active when the server began to listen',
    (type) => {
      const { scopes, tracker, store } = made();
      tracker.context('boot', { boot: true }, () => {
        const scope = scopes.scopeOf(execution(type, {}, {}, {}, {}));
        store.run(scope, () => {
          expect(tracker.resolveContext()).toEqual({
            handler: {
              kind: type,
              class: 'Resolvers',
              method: 'first',
            },
          });
        });
      });
    },
  );

  it('of a resolver is one of several in the scope of its operation', () => {
    const { scopes } = made();
    const context = {};
    const [one, two] = [operation(context), operation(context)].map((resolver) => scopes.scopeOf(resolver));
    expect(one).not.toBe(two);
    expect(one?.root).toBe(two?.root);
    expect(scopes.scopeOf(operation({})).root).not.toBe(one?.root);
  });

  it('of a resolver without a context stands alone', () => {
    const { scopes } = made();
    const one = scopes.scopeOf(operation(undefined));
    const two = scopes.scopeOf(operation(undefined));
    expect(one.root).not.toBe(two.root);
  });

  it('of an operation that a message asks for is inside that of the message', () => {
    const { scopes, store } = made();
    const message = scopes.scopeOf(execution('rpc', {}, {}));
    store.run(message, () => {
      expect(scopes.scopeOf(operation({})).root).toBe(message);
    });
  });
});
