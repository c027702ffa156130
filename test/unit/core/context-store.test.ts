import { describe, expect, it } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import { EMPTY_OBJECT } from '../../../lib/core/json.js';

const owner = { frames: () => EMPTY_OBJECT };

describe('a context store', () => {
  it('finds the scope of a request under each of its keys', () => {
    const store = new ContextStore();
    const [raw, wrapped] = [{}, {}];
    const scope = store.open(owner, [raw]);
    store.link(wrapped, scope);

    expect(store.scopeOf(raw)).toBe(scope);
    expect(store.scopeOf(wrapped)).toBe(scope);
    expect(store.scopeOf({})).toBeUndefined();
  });

  it('keeps to the last scope that a key was linked to', () => {
    const store = new ContextStore();
    const key = {};
    store.open(owner, [key]);
    const later = store.open(owner, [key]);
    expect(store.scopeOf(key)).toBe(later);
  });

  it('knows objects that take no property', () => {
    const store = new ContextStore();
    const frozen = Object.freeze({});
    const scope = store.open(owner, [frozen]);
    expect(store.scopeOf(frozen)).toBe(scope);
  });

  it('does not show in the request', () => {
    const store = new ContextStore();
    const request = { url: '/' };
    store.open(owner, [request]);
    expect({ ...request }).toEqual({ url: '/' });
    expect(JSON.stringify(request)).toBe('{"url":"/"}');
    expect(Reflect.ownKeys({ ...request })).toEqual(['url']);
  });

  it('does not take the scope of an object for that of one made from it', () => {
    const store = new ContextStore();
    const request = {};
    store.open(owner, [request]);
    const derived: object = Object.create(request) as object;
    expect(store.scopeOf(derived)).toBeUndefined();
  });

  it('does not mix with another store', () => {
    const [one, other] = [new ContextStore(), new ContextStore()];
    const key = {};
    const scope = one.open(owner, [key]);
    expect(other.scopeOf(key)).toBeUndefined();
    other.open(owner, [key]);
    expect(one.scopeOf(key)).toBe(scope);
  });
});
