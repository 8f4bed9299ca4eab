/**
 * Cuts one long array out of a JSON document while it arrives: each element comes out as bytes of its own, so that
 * an answer of hundreds of megabytes is never held as one text or one tree. The rest of the document, with the array
 * left empty, is kept for the end.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Thrown when the bytes cannot be the document that was asked for. */
export class JsonCutError extends Error {
  override readonly name = "JsonCutError";
}

export interface CutterOptions {
  /** Key of the array, at the top of the document; null: none is cut out. */
  readonly key: string | null;
  /** Most bytes of one element, and of the rest of the document. */
  readonly maxPartBytes: number;
}

/** The bytes of one part of the document, which may arrive in several pieces. */
class Part {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) {
      throw new JsonCutError(`one part of the answer is larger than ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
  }

  take(): Buffer {
    const whole = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return whole;
  }
}

/** Fed with pieces that may end anywhere, even inside of a character. */
export class JsonCutter {
  readonly #key: string | null;
  readonly #element: Part;
  readonly #rest: Part;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Inside of the array, at depth 2 and deeper. */
  #isInArray = false;
  #hasElements = false;
  /** Whether the element at hand holds more than white space so far. */
  #isElementStarted = false;
  /** The string at depth 1 that may turn out to be a key, and the key whose value comes next. */
  readonly #name: Part;
  #lastName: string | null = null;
  #valueKey: string | null = null;
  #ready: Buffer[] = [];

  constructor(options: CutterOptions) {
    this.#key = options.key;
    this.#element = new Part(options.maxPartBytes);
    this.#rest = new Part(options.maxPartBytes);
    this.#name = new Part(options.maxPartBytes);
  }

  /** The elements that are complete; each is handed out once. */
  takeElements(): Buffer[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** @throws JsonCutError when a part is too large or the array is malformed. */
  feed(piece: Buffer): void {
    // Where the part at hand starts in this piece.
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      if (this.#isInString) {
        at = this.#skipString(piece, at);
        continue;
      }
      const byte = piece[at] ?? 0;
      if (byte <= 0x20) continue;
      if (this.#isInArray && this.#depth === 2 && (byte === COMMA || byte === CLOSE_BRACKET)) {
        this.#element.add(piece.subarray(from, at));
        this.#closeElement({ isLast: byte === CLOSE_BRACKET });
        from = byte === COMMA ? at + 1 : at;
        if (byte === CLOSE_BRACKET) this.#depth--;
        continue;
      }
      if (this.#isInArray) this.#isElementStarted = true;
      this.#step(byte);
      if (byte === OPEN_BRACKET && this.#startsArray()) {
        this.#rest.add(piece.subarray(from, at + 1));
        from = at + 1;
        this.#isInArray = true;
        this.#hasElements = false;
      }
    }
    (this.#isInArray ? this.#element : this.#rest).add(piece.subarray(from));
  }

  /**
   * The document is complete.
   * @returns it, parsed, with the array left empty.
   * @throws JsonCutError when it ends too early; SyntaxError when it is no JSON.
   */
  finish(): unknown {
    if (this.#depth > 0 || this.#isInString) throw new JsonCutError("the answer ends in the middle");
    const rest = this.#rest.take().toString("utf8");
    if (rest.trim() === "") throw new JsonCutError("the answer is empty");
    return JSON.parse(rest);
  }

  #step(byte: number): void {
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--;
    if (this.#depth !== 1 || this.#isInArray) return;
    if (byte === COLON) this.#valueKey = this.#lastName;
    else if (byte === COMMA) this.#valueKey = null;
  }

  #startsArray(): boolean {
    return !this.#isInArray && this.#depth === 2 && this.#valueKey !== null && this.#valueKey === this.#key;
  }

  /** From inside of a string to its closing quote, or to the end of the piece. @returns the position to go on behind. */
  #skipString(piece: Buffer, start: number): number {
    const isName = this.#depth === 1 && !this.#isInArray;
    let at = start;
    for (; at < piece.length; at++) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (piece[at] === BACKSLASH) this.#isEscaped = true;
      else if (piece[at] === QUOTE) {
        this.#isInString = false;
        break;
      }
    }
    if (isName) {
      this.#name.add(piece.subarray(start, at));
      if (!this.#isInString) this.#lastName = nameOf(this.#name.take());
    }
    return at;
  }

  #closeElement(options: { isLast: boolean }): void {
    const element = this.#element.take();
    if (this.#isElementStarted) this.#ready.push(element);
    else if (!options.isLast || this.#hasElements) throw new JsonCutError("the list has an empty place");
    this.#hasElements = true;
    this.#isElementStarted = false;
    if (options.isLast) this.#isInArray = false;
  }
}

/** A key as it reads; one that is no valid string is left to the parser of the rest to complain about. */
function nameOf(bytes: Buffer): string | null {
  const text = bytes.toString("utf8");
  if (!text.includes("\\")) return text;
  try {
    const name: unknown = JSON.parse(`"${text}"`);
    return typeof name === "string" ? name : null;
  } catch {
    return null;
  }
}
