/** Room behind the last byte, so that a word may be read that begins with it. */
const SLACK_BYTES = 3;

/** A buffer that slides over a stream: it holds what was fed and is not yet done with, and is reused. */
export class ByteWindow {
  bytes: Buffer;
  /** The same memory, to read several bytes at once; up to three bytes behind `end` may be read, and mean nothing. */
  view: DataView;
  /** Where the bytes that were fed end. */
  end = 0;

  constructor(initialBytes: number) {
    const memory = new ArrayBuffer(initialBytes + SLACK_BYTES);
    this.bytes = Buffer.from(memory);
    this.view = new DataView(memory);
  }

  /**
   * Appends `piece`; bytes before `keepFrom` may be dropped to make room.
   * @returns by how much every position has moved towards the front.
   */
  append(piece: Uint8Array, keepFrom: number): number {
    let moved = 0;
    const neededBytes = this.end - keepFrom + piece.length + SLACK_BYTES;
    if (this.end + piece.length + SLACK_BYTES > this.bytes.length) {
      const old = this.bytes;
      if (neededBytes > old.length) {
        const memory = new ArrayBuffer(neededBytes * 2);
        this.bytes = Buffer.from(memory);
        this.view = new DataView(memory);
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
