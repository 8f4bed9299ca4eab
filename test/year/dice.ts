/** Random numbers that are the same for the same seed, everywhere (xorshift32, G. Marsaglia, "Xorshift RNGs", 2003). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    // Zero would stay zero; seeds that are neighbours should not begin alike.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let warmUp = 0; warmUp < 8; warmUp++) this.#next();
  }

  /** A whole number between two others, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.#next() * (to - from + 1));
  }

  /** True so often of a hundred times. */
  percent(chance: number): boolean {
    return this.#next() * 100 < chance;
  }

  pick<const T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }

  /** One of the choices, each as often as its weight says. */
  weighted<const T>(
    choices: readonly [readonly [weight: number, choice: T], ...(readonly [weight: number, choice: T])[]],
  ): T {
    let left = this.#next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    return choices[0][1];
  }

  #next(): number {
    let bits = this.#state;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#state = bits;
    return (bits >>> 0) / 0x1_0000_0000;
  }
}
