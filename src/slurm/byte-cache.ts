/**
 * Remembers what a field's bytes meant. Users, partitions, states and TRES strings repeat all through
 * a dump; looking their bytes up is several times cheaper than building and parsing a string each time.
 * Direct-mapped: a new value takes the place of an old one with the same hash, so it never grows.
 */
const SLOTS = 4096;
/** Longer fields hardly repeat. */
const MAX_KEY_BYTES = 256;

interface Slot<T> {
  readonly key: Uint8Array;
  readonly value: T;
}

export class ByteCache<T> {
  readonly #read: (bytes: Buffer, start: number, end: number) => T;
  readonly #slots: (Slot<T> | null)[] = Array.from({ length: SLOTS }, () => null);

  /** @param read makes the value from the field's bytes; it must not keep them. */
  constructor(read: (bytes: Buffer, start: number, end: number) => T) {
    this.#read = read;
  }

  /** The value of `bytes[start, end)`. */
  get(bytes: Buffer, start: number, end: number): T {
    const length = end - start;
    if (length > MAX_KEY_BYTES) return this.#read(bytes, start, end);
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    const index = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const slot = this.#slots[index];
    if (slot && slot.key.length === length) {
      const key = slot.key;
      let at = 0;
      while (at < length && key[at] === bytes[start + at]) at++;
      if (at === length) return slot.value;
    }
    const value = this.#read(bytes, start, end);
    this.#slots[index] = { key: Uint8Array.prototype.slice.call(bytes, start, end), value };
    return value;
  }
}
