import * as zlib from 'node:zlib';

type Decode = (body: Uint8Array, options: zlib.ZlibOptions) => Uint8Array;

/** Newer Nodes only: 22.15, 23.8 and later. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: Decode };

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['identity', (body) => body],
  ['gzip', zlib.gunzipSync],
  ['br', zlib.brotliDecompressSync],
  ['deflate', zlib.inflateSync],
  ...(zstdDecompressSync === undefined ? [] : [['zstd', zstdDecompressSync] as const]),
]);

/** What was sent, or why it cannot be known. */
export type DecodedBody =
  { readonly bytes: Uint8Array } | { readonly status: number; readonly problem: string };

/** Undoes a `Content-Encoding` (RFC 9110, section 8.4: the last one was applied last), up to a size. */
export function decodedBody(
  body: Uint8Array,
  contentEncoding: string | undefined,
  maxBytes: number,
): DecodedBody {
  const encodings = (contentEncoding ?? 'identity')
    .split(',')
    .map((encoding) => encoding.trim().toLowerCase());
  let bytes = body;
  for (const encoding of encodings.reverse()) {
    const decode = DECODERS.get(encoding);
    if (decode === undefined) {
      return {
        status: 415,
        problem: `this collector cannot read the content encoding ${encoding}; it knows ${[...DECODERS.keys()].join(', ')}`,
      };
    }
    try {
      bytes = decode(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      return {
        status: 400,
        problem: `the body is no ${encoding} of at most ${maxBytes} bytes: ${(error as Error).message}`,
      };
    }
  }
  return { bytes };
}
