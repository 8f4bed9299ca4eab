/** A buffer that slides over a stream: it holds what was fed and is not yet done with, and is reused. */
export class ByteWindow {
  bytes: Buffer;
  /** The same memory, four bytes at a time. */
  words: Int32Array;
  /** Where the bytes that were fed end. */
  end = 0;

  constructor(initialBytes: number) {
    const memory = new ArrayBuffer(wholeWords(initialBytes));
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }

  /**
   * Appends `piece`; bytes before `keepFrom` may be dropped to make room.
   * @returns by how much every position has moved towards the front.
   */
  append(piece: Uint8Array, keepFrom: number): number {
    let moved = 0;
    if (this.end + piece.length > this.bytes.length) {
      const needed = this.end - keepFrom + piece.length;
      const old = this.bytes;
      if (needed > old.length) {
        const memory = new ArrayBuffer(wholeWords(needed * 2));
        this.bytes = Buffer.from(memory);
        this.words = new Int32Array(memory);
      }
      old.copy(this.bytes, 0, keepFrom, this.end);
      this.end -= keepFrom;
      moved = keepFrom;
    }
    this.bytes.set(piece, this.end);
    this.end += piece.length;
    return moved;
  }
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / Int32Array.BYTES_PER_ELEMENT) * Int32Array.BYTES_PER_ELEMENT;
}
