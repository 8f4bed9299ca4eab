import { UserError } from "../errors.ts";

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);
/** Far above what a piece of a table can be; a header that says more is broken. */
const MAX_ENTRY_BYTES = 1024 ** 3;

export interface TarEntry {
  readonly name: string;
  readonly data: Buffer;
}

/** One file of an archive: header, bytes, filling. */
export function tarEntry({ name, data }: TarEntry, modifiedAt: Date): Buffer[] {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write("0000600\u00000000000\u00000000000\u0000", 100);
  header.write(`${octal(data.length, 11)} ${octal(Math.floor(modifiedAt.getTime() / 1000), 11)} `, 124);
  // The sum is made with blanks in its place.
  header.write(`${" ".repeat(8)}0`, 148);
  header.write("ustar\x0000", 257);
  header.write(`${octal(sumOf(header), 6)}\0 `, 148);
  return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}

/** Two empty blocks, by which a reader knows that nothing was cut off. */
export function tarEnd(): Buffer {
  return END;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function sumOf(header: Buffer): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}

/**
 * The files of an archive as they come. Memory holds one of them.
 *
 * @throws {UserError} when it is no archive, or ends before its end.
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = new BlockReader(source);
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(header);
    const data = await reader.take(size);
    await reader.take((BLOCK - (size % BLOCK)) % BLOCK);
    yield { name, data };
  }
  // What reads from a file or program learns only at its end whether that was whole.
  await reader.drain();
}

function readHeader(header: Buffer): { name: string; size: number } {
  const given = Number.parseInt(header.toString("latin1", 148, 156), 8);
  const blanked = Buffer.from(header);
  blanked.fill(" ", 148, 156);
  const size = Number.parseInt(header.toString("latin1", 124, 136), 8);
  if (given !== sumOf(blanked) || !(size >= 0 && size <= MAX_ENTRY_BYTES))
    throw new UserError("it is no backup, or a damaged one");
  const [name = ""] = header.toString("utf8", 0, 100).split("\0");
  return { name, size };
}

class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer[] = [];
  #bytes = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async take(size: number): Promise<Buffer> {
    while (this.#bytes < size) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new UserError("it ends in the middle: the file is not whole");
      this.#pending.push(next.value);
      this.#bytes += next.value.length;
    }
    const all = this.#pending.length === 1 ? (this.#pending[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pending);
    this.#pending = [all.subarray(size)];
    this.#bytes -= size;
    return all.subarray(0, size);
  }

  async drain(): Promise<void> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done === true) return;
    }
  }
}
