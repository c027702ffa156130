import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export type Compression = 'gzip' | 'br' | 'zstd';

type Compress = (body: Uint8Array) => Promise<Uint8Array>;

/** Newer Nodes only: 22.15, 23.8 and later. */
const { zstdCompress } = zlib as {
  zstdCompress?: (body: Uint8Array, done: (error: Error | null, result: Uint8Array) => void) => void;
};

const brotli = promisify(zlib.brotliCompress) as (
  body: Uint8Array,
  options: zlib.BrotliOptions,
) => Promise<Uint8Array>;
const gzip = promisify(zlib.gzip) as (body: Uint8Array, options: zlib.ZlibOptions) => Promise<Uint8Array>;

/** Beyond these levels the work grows faster than the body shrinks. */
const GZIP_LEVEL = 1;
const BROTLI_QUALITY = 4;

const COMPRESSIONS: Readonly<Record<Compression, Compress | undefined>> = {
  gzip: (body) => gzip(body, { level: GZIP_LEVEL }),
  br: (body) =>
    brotli(body, {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
    }),
  zstd: zstdCompress === undefined ? undefined : promisify(zstdCompress),
};

/** What this Node can compress with. */
export function compressions(): readonly string[] {
  return Object.entries(COMPRESSIONS)
    .filter(([, compress]) => compress !== undefined)
    .map(([name]) => name);
}

/** Compresses beside the event loop. */
export async function compressed(body: string | Uint8Array, compression: Compression): Promise<Uint8Array> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const compress = COMPRESSIONS[compression];
  if (compress === undefined) {
    throw new TypeError(`this Node cannot compress with ${compression}`);
  }
  return compress(bytes);
}
