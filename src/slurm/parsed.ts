/** What reading a piece of Slurm's text gives: a value, or the reason why there is none. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** A value that was read. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** A text that could not be read; the reason names what was wrong. */
export function malformed(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** Quotes a value for a reason: short, on one line, without control characters. */
export function quoted(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  // Control characters would break the line of a log or a rejects file that quotes the reason.
  // oxlint-disable-next-line no-control-regex
  return `"${shown.replaceAll(/[\u0000-\u001f\u007f]/gu, "\uFFFD")}"`;
}
