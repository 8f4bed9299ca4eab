import { z } from "zod";

const optional = z
  .string()
  .trim()
  .transform((text) => (text === "" ? undefined : text))
  .optional();

export const TRUE: ReadonlySet<string> = new Set(["1", "true", "yes", "on"]);
export const FALSE: ReadonlySet<string> = new Set(["0", "false", "no", "off"]);

/** Reads one variable at a time and keeps every problem, so that all are reported at once. */
export class EnvReader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  text(name: string): string | undefined {
    return optional.parse(this.#env[name]);
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (TRUE.has(text)) return true;
    if (FALSE.has(text)) return false;
    this.problem(name, "takes 1 or 0 (true/false, yes/no, on/off)");
    return fallback;
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/u.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.problem(name, `takes a whole number from ${min} to ${max}`);
    return fallback;
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) this.problem(name, `takes one of ${choices.join(", ")}`);
    return found ?? fallback;
  }

  url(name: string, protocols: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (parsed !== undefined && protocols.includes(parsed.protocol)) return text;
    this.problem(name, `takes a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`);
    return undefined;
  }

  problem(name: string, takes: string): void {
    this.problems.push(`${name} ${takes}`);
  }
}
