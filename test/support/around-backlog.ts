import type { Backlog, Lease } from '../../lib/delivery/backlog.js';

export interface Around {
  readonly lasting?: boolean;
  /** Comes before each lease: what it throws, leasing throws. */
  readonly lease?: () => void;
  /** Comes before each settlement, which waits for it. */
  readonly settle?: () => Promise<void>;
}

/** A backlog whose storage has troubles of its own. */
export function aroundBacklog(
  backlog: Backlog,
  { lasting = backlog.lasting, lease: onLease, settle }: Around,
): Backlog {
  const around = (lease: Lease): Lease => ({
    ...{ token: lease.token, partition: lease.partition, events: lease.events },
    settle: async (settlements) => {
      await settle?.();
      await lease.settle(settlements);
    },
    renew: (ms) => lease.renew(ms),
    release: (afterMs) => lease.release(afterMs),
  });
  return {
    lasting,
    open: (host) => {
      backlog.open(host);
    },
    append: (events, wait, unheard) => backlog.append(events, wait, unheard),
    lease: async (request) => {
      onLease?.();
      const lease = await backlog.lease(request);
      return lease === undefined ? undefined : around(lease);
    },
    availableIn: (request) => backlog.availableIn(request),
    onAvailable: (listener) => {
      backlog.onAvailable(listener);
    },
    mark: () => backlog.mark(),
    isSettled: (mark) => backlog.isSettled(mark),
    stats: () => backlog.stats(),
    deadLetters: (filter) => backlog.deadLetters(filter),
    replay: (filter) => backlog.replay(filter),
    close: () => backlog.close(),
  };
}
