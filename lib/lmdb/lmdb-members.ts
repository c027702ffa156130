import { DistinctMembers } from '../metrics/distinct-members.js';
import type {
  FactsKey,
  FactsRecord,
  MembersOfDay,
  Span,
  StoredFacts,
  UniqueKey,
} from '../metrics/metrics-store.js';
import type { LmdbDatabase } from './lmdb-database.js';
import type { LmdbDraft } from './lmdb-draft.js';
import type { KeyKind } from './lmdb-keys.js';
import { keyOf, nameIn, numberIn, rangeOf } from './lmdb-keys.js';
import { spanOf } from './lmdb-keys.js';

const EMPTY = Buffer.alloc(0);

export function addMembers(draft: LmdbDraft, groups: readonly MembersOfDay[]): void {
  for (const { day, hashes, ...unique } of groups) {
    const key = keyOf(...kindAndNames(unique), [day]);
    const stored = draft.get(key);
    const members = stored === undefined ? new DistinctMembers() : DistinctMembers.from(stored);
    const added = hashes.filter((hash) => members.add(hash));
    if (added.length > 0) {
      draft.put(key, Buffer.from(members.bytes()));
    }
  }
}

export function countMembers(db: LmdbDatabase, unique: UniqueKey, days: Span): number {
  const all = new DistinctMembers();
  for (const { value } of db.entries(spanOf(...kindAndNames(unique), days))) {
    all.merge(DistinctMembers.from(value));
  }
  return all.count();
}

function kindAndNames({ metric, subject }: UniqueKey): [kind: KeyKind, names: readonly string[]] {
  return subject === undefined ? ['m', [metric]] : ['u', [subject, metric]];
}

/** Facts of one moment keep the order in which they came: the next number is one more than the last. */
export function recordFacts(draft: LmdbDraft, records: readonly FactsRecord[]): void {
  for (const { subject, key, atMs, json } of records) {
    const moment = keyOf('f', [subject, key], [atMs]);
    const last = draft.keys(rangeOf(moment)).reduce((most, other) => Math.max(most, numberIn(other)), -1);
    draft.put(keyOf('f', [subject, key], [atMs, last + 1]), Buffer.from(json));
    draft.put(keyOf('i', [key, subject]), EMPTY);
  }
}

export function readFacts(db: LmdbDatabase, { subject, key }: FactsKey, times: Span): StoredFacts[] {
  const facts: StoredFacts[] = [];
  for (const entry of db.entries(spanOf('f', [subject, key], times))) {
    facts.push({
      atMs: numberIn(entry.key, 1),
      json: entry.value.toString(),
    });
  }
  return facts;
}

export function subjectsWithFacts(db: LmdbDatabase, key: string): string[] {
  return Array.from(db.keys(rangeOf(keyOf('i', [key]))), (found) => nameIn(found, 1));
}
