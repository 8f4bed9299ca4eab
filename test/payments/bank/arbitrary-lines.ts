import fc from "fast-check";

/** What a bank could have booked, before any format. */
export interface Booking {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** Satang, not zero. */
  readonly minor: bigint;
  readonly text: string;
  readonly name: string;
  readonly reference: string;
}

/** Latin and Thai letters, and all that formats give a meaning. */
const words = fc
  .string({ unit: fc.constantFrom(...Array.from("aZ9กำ๙ ,;\t\n\"'<>&]/-=.")), maxLength: 20 })
  // A letter in front: what looks like a protected cell or a label is tested elsewhere.
  .map((text) => `x${text.trim()}`);

export const bookings = fc.array(
  fc.record({
    day: fc
      .date({ min: new Date("2018-01-01"), max: new Date("2049-12-31"), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    minor: fc.bigInt(-(10n ** 13n), 10n ** 13n).filter((minor) => minor !== 0n),
    text: words,
    name: words,
    reference: fc.stringMatching(/^[A-Z]{2}[A-Z0-9]{0,10}$/u),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Satang as `1234.50`, with an optional mark and thousands separator. */
export function written(minor: bigint, { mark = ".", thousands = "" } = {}): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(?:\d{3})+$)/gu, thousands);
  return `${minor < 0n ? "-" : ""}${whole}${mark}${digits.slice(-2)}`;
}

/** What a reader makes of blanks. */
export function collapsed(...parts: readonly string[]): string {
  return [...new Set(parts.map((part) => part.replace(/\s+/gu, " ").trim()))].join(" ");
}
