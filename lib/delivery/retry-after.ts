/**
 * Reads a Retry-After header (RFC 9110 §10.2.3), seconds or a date. Answers milliseconds from now, 0 for a time that
 * has passed, `undefined` for what is neither.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Number(text) * 1_000;
  }
  // A date begins with its weekday; `Date.parse` alone would take many a number for one.
  const at = /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
