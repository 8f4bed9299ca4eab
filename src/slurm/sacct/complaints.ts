/** What a program of Slurm's wrote to its standard error, in bounded memory, and whether it means a failure. */

const MAX_LINE_CHARACTERS = 2_000;
const MAX_LINES = 8;
const MAX_TEXT_CHARACTERS = 1_000;

/**
 * Slurm's programs write `sacct: error: …` and `sacct: fatal: …`. Anything else there, such as `warning:` or what a
 * wrapper script says, does no harm to the answer.
 */
const FAILURE = /\b(?:error|fatal):/iu;

export class Complaints {
  #line = "";
  readonly #failures: string[] = [];
  readonly #remarks: string[] = [];

  /** Takes the next piece of the stream, which may end in the middle of a line. */
  add(piece: string): void {
    const lines = piece.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.#close(this.#line + line);
      this.#line = "";
    }
    this.#line = (this.#line + last).slice(0, MAX_LINE_CHARACTERS);
  }

  /** The stream is at its end: what stands behind the last line end is a line too. */
  finish(): void {
    this.#close(this.#line);
    this.#line = "";
  }

  /** True when the program said that something failed; its exit code may be 0 all the same. */
  get meanFailure(): boolean {
    return this.#failures.length > 0;
  }

  /** The lines that say what failed, else whatever was said, for a message; empty when nothing was said. */
  get text(): string {
    const lines = this.#failures.length > 0 ? this.#failures : this.#remarks;
    return lines.join("; ").slice(0, MAX_TEXT_CHARACTERS);
  }

  #close(line: string): void {
    const text = line.replace(/\p{Cc}+/gu, " ").trim();
    const kept = FAILURE.test(text) ? this.#failures : this.#remarks;
    if (text !== "" && kept.length < MAX_LINES) kept.push(text);
  }
}
