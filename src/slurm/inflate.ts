/** Takes gzip off a stream of bytes if it is there. */
import { constants, createGunzip } from "node:zlib";
import { UserError } from "../errors.ts";

/** A piece of the uncompressed input. */
export interface InputPiece {
  readonly bytes: Uint8Array;
  /** Bytes of the input as it was given (compressed or not) that were taken so far. */
  readonly inputBytes: number;
}

/** What is fed to zlib at once; it can grow a thousandfold, so it bounds memory. */
const COMPRESSED_PIECE_BYTES = 65_536;
const INFLATED_PIECE_BYTES = 262_144;
const PLAIN_PIECE_BYTES = 262_144;

/** Formats that people try; each with the bytes it starts with. */
const REFUSED_FORMATS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["a zip archive", [0x50, 0x4b, 0x03, 0x04]],
  ["compressed with xz", [0xfd, 0x37, 0x7a, 0x58]],
  ["compressed with zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["compressed with bzip2", [0x42, 0x5a, 0x68]],
  ["UTF-16 text", [0xff, 0xfe]],
  ["UTF-16 text", [0xfe, 0xff]],
];
const MAGIC_BYTES = 4;

/**
 * Yields the input in pieces of bounded size, without gzip if it starts with gzip's magic bytes.
 * @throws UserError when gzip ends early or is damaged, after all that came before was yielded; and
 * when the input is compressed or encoded in another way.
 */
export async function* inflate(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputPiece> {
  const pieces = input[Symbol.asyncIterator]();
  try {
    const head = await readHead(pieces);
    const format = REFUSED_FORMATS.find(([, magic]) => startsWith(head, magic));
    if (format !== undefined)
      throw new UserError(`The file is ${format[0]}; accepted is UTF-8 text, plain or compressed with gzip.`);
    const all = chain(head, pieces);
    yield* startsWith(head, [0x1f, 0x8b]) ? gunzip(all) : plain(all);
  } finally {
    await pieces.return?.();
  }
}

async function readHead(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < MAGIC_BYTES) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function* plain(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputPiece> {
  let inputBytes = 0;
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += PLAIN_PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PLAIN_PIECE_BYTES);
      inputBytes += piece.length;
      yield { bytes: piece, inputBytes };
    }
  }
}

async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputPiece> {
  const inflater = new Inflater();
  let inputBytes = 0;
  // While one piece is parsed, zlib's thread works on the next.
  let ahead: Promise<Uint8Array[]> | null = null;
  try {
    for await (const bytes of input) {
      for (let at = 0; at < bytes.length; at += COMPRESSED_PIECE_BYTES) {
        const piece = bytes.subarray(at, at + COMPRESSED_PIECE_BYTES);
        const ready: Uint8Array[] = ahead === null ? [] : await ahead;
        ahead = inflater.write(piece);
        for (const inflated of ready) yield { bytes: inflated, inputBytes };
        inputBytes += piece.length;
      }
    }
    for (const inflated of ahead === null ? [] : await ahead) yield { bytes: inflated, inputBytes };
    for (const inflated of await inflater.end()) yield { bytes: inflated, inputBytes };
    const failure = inflater.failure;
    if (failure !== null) throw brokenGzip(failure, inputBytes);
  } finally {
    inflater.destroy();
  }
}

function brokenGzip(failure: NodeJS.ErrnoException, inputBytes: number): UserError {
  const endsEarly = failure.code === "Z_BUF_ERROR";
  const what = endsEarly
    ? `The gzip file ends early, after ${inputBytes} bytes: it was not copied completely.`
    : `The gzip file is damaged (${failure.message}).`;
  return new UserError(`${what} The jobs before that point were read; import the complete file to get the others.`, {
    cause: failure,
  });
}

/** zlib's stream, asked piece by piece, so that all it inflated before an error is still handed out. */
class Inflater {
  readonly #stream = createGunzip({ chunkSize: INFLATED_PIECE_BYTES, finishFlush: constants.Z_FINISH });
  #inflated: Uint8Array[] = [];
  #failure: NodeJS.ErrnoException | null = null;

  constructor() {
    this.#stream.on("data", (piece: Uint8Array) => this.#inflated.push(piece));
    this.#stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#failure = error;
    });
  }

  get failure(): NodeJS.ErrnoException | null {
    return this.#failure;
  }

  async write(piece: Uint8Array): Promise<Uint8Array[]> {
    if (this.#failure !== null) return [];
    await new Promise<void>((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.write(piece, () => {
        this.#stream.off("close", resolve);
        resolve();
      });
    });
    return this.#take();
  }

  async end(): Promise<Uint8Array[]> {
    if (this.#failure !== null) return this.#take();
    await new Promise<void>((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.end();
    });
    return this.#take();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  async #take(): Promise<Uint8Array[]> {
    // What was inflated is emitted in turns of the event loop; an error would discard what still waits.
    while (this.#stream.readableLength > 0 && !this.#stream.destroyed) await new Promise(setImmediate);
    const inflated = this.#inflated;
    this.#inflated = [];
    return inflated;
  }
}
