/** Calls back when nothing came for a while; it can be held while nobody waits. */
export class SilenceWatch {
  readonly #milliseconds: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(seconds: number, onSilence: () => void) {
    this.#milliseconds = seconds * 1_000;
    this.#onSilence = onSilence;
  }

  start(): void {
    this.stop();
    this.#timer = setTimeout(this.#onSilence, this.#milliseconds);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
