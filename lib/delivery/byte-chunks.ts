import { writeText } from './write-text.js';

const MIN_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

/**
 * Room for texts as bytes, taken in chunks. A chunk is given back when nobody refers to it any more; what is taken from
 * one `ByteChunks` should therefore be let go of in about the same order.
 */
export class ByteChunks {
  /** The chunk of the latest text. */
  chunk = Buffer.alloc(0);
  private used = 0;

  /**
   * Writes a text; answers where in `chunk`.
   *
   * @param bytes its size in UTF-8
   * @param waiting how many bytes are in use already: chunks are no larger than that needs
   */
  write(text: string, bytes: number, waiting: number): number {
    if (this.used + bytes > this.chunk.length) {
      const usual = Math.min(
        MAX_CHUNK_BYTES,
        Math.max(MIN_CHUNK_BYTES, waiting),
      );
      this.chunk = Buffer.allocUnsafeSlow(Math.max(usual, bytes));
      this.used = 0;
    }
    const at = this.used;
    this.used += bytes;
    writeText(this.chunk, text, at, bytes);
    return at;
  }
}
