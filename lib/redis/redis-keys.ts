/*
 * Keys of the metrics in Redis. Everything of a subject lies in one slot of a cluster, by its hash tag; each key below
 * is a base, `<prefix>{s:<subject>}`, and what follows. Names stand last, or between braces with theirs escaped, so that
 * no name is part of another key.
 *
 *   <base>:t                     hash    metric → total
 *   <base>:x:<metric>            hash    month → its first day, of the months that have days
 *   <base>:d:<month>:<metric>    string  31 integers of 64 bits: the days of the month
 *   <base>:h:<day>:<metric>      hash    hour → value
 *   <base>:y:<metric>            hash    day → 1 while its members are kept exactly, then 2
 *   <base>:u:<day>:<metric>      set     the hashes of these members
 *   <base>:l:<n>:<day>:<metric>  HyperLogLog of those whose hash is n modulo 4
 *   <base>:f:<key>               sorted set of facts by moment: a number of 16 digits, the moment, JSON
 *   <base>:q                     integer the latest of these numbers
 *   <base>:r                     set     `u<metric>` and `f<key>`: what there is beside counters
 *   <base>:o:<writer>:<n>        set     the writes that were done; for 15 minutes
 *
 * Members of a metric as a whole have the base `<prefix>{m:<metric>}`. `<prefix>{f:<key>}` is the set of the subjects
 * that have facts of a key; it may name more than have some.
 */

export function subjectBase(prefix: string, subject: string): string {
  return `${prefix}{s:${escapeTag(subject)}}`;
}

export function metricBase(prefix: string, metric: string): string {
  return `${prefix}{m:${escapeTag(metric)}}`;
}

export function factsIndexKey(prefix: string, key: string): string {
  return `${prefix}{f:${escapeTag(key)}}`;
}

/** A hash tag ends with the first brace. */
function escapeTag(name: string): string {
  return name.replace(/[%{}]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

/** What `SCAN` takes for any text is part of the name here. */
export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
