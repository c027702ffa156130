/** The connection itself sets these; a request that brings one is not sent at all. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** RFC 9110 §5.5: visible characters of Latin 1, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function isHeaderName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name) && !OF_THE_CONNECTION.has(name.toLowerCase());
}

/** What cannot stand in a header would fail every request. */
export function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && VALUE.test(value);
}

/** Names of headers are the same in any case: two spellings must not become two headers. */
export function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
