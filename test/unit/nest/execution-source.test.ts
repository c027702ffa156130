import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, it } from '@jest/globals';
import { graphqlRequest, sourceOf } from '../../../lib/nest/execution-source.js';

function execution(type: string, ...args: unknown[]): ExecutionContext {
  const host = new ExecutionContextHost(args);
  host.setType(type);
  return host;
}

const request = { user: { id: 'ann' } };

describe('the source of user and session', () => {
  it('is the client of a gateway', () => {
    expect(sourceOf(execution('ws', request, 'data'))).toBe(request);
  });

  it('is the context of an RPC message', () => {
    expect(sourceOf(execution('rpc', 'data', request))).toBe(request);
  });

  it.each([
    ['Apollo', { req: request }],
    ['Mercurius', { reply: { request } }],
    ['graphql-ws', { extra: { request } }],
  ])('is the request behind an operation of %s', (_, context) => {
    const operation = execution('graphql', {}, {}, context, {});
    expect(graphqlRequest(operation)).toBe(request);
    expect(sourceOf(operation)).toBe(request);
  });

  it('is the context of an operation that has no request', () => {
    const context = { user: 'ann' };
    expect(sourceOf(execution('graphql', {}, {}, context, {}))).toBe(context);
  });

  it.each([
    ['a client that is none', execution('ws', 'text')],
    ['no RPC context', execution('rpc', 'data')],
    ['no context of GraphQL', execution('graphql', {}, {})],
    ['a request that is none', execution('graphql', {}, {}, { req: 7 }, {})],
    ['a kind of its own', execution('telegram', request)],
  ])('is something empty for %s', (_, unknown) => {
    const source = sourceOf(unknown);
    expect(source).not.toBe(request);
    expect(source.user).toBeUndefined();
    expect(graphqlRequest(unknown)).toBeUndefined();
  });
});
