/** A URL as it may be shown: without user, password, query and fragment, where keys hide. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** The URL of a request: what a format appends to the path goes behind it, before the query. */
export function requestUrl(base: URL, path: string | undefined): URL {
  if (path === undefined) {
    return base;
  }
  const url = new URL(base);
  const [tail = '', query] = path.split('?', 2);
  if (tail !== '') {
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${tail.replace(/^\//, '')}`;
  }
  for (const [key, value] of new URLSearchParams(query ?? '')) {
    url.searchParams.append(key, value);
  }
  return url;
}
