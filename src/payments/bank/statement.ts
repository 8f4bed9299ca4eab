/** One movement on a bank account, as the bank's file tells it. */
export interface BankLine {
  /** Day of the booking, `YYYY-MM-DD`, as the bank writes it. */
  readonly bookedOn: string;
  /** Minor units of `currency`: positive for money received, negative for money paid out, never zero. */
  readonly amountMinor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
  /** The account it is on, without blanks and hyphens; empty when the file does not say. */
  readonly account: string;
  /** Everything the bank says of it, joined: remittance, names, references. */
  readonly text: string;
  /** The bank's own id of the entry, or empty. */
  readonly bankReference: string;
  /** Who paid or was paid, or empty. */
  readonly counterparty: string;
  /** Where it stands in the file, for messages: `line 12`, `entry 3 of statement X`. */
  readonly place: string;
  /** It takes back an earlier entry. CSV files do not say, and give false. */
  readonly isReversal: boolean;
}

/** Something in the file that is not a line, and should have been one. */
export interface StatementReject {
  readonly place: string;
  readonly reason: string;
}

export interface BankStatement {
  readonly format: "camt.053" | "csv";
  /** The accounts of the file, without blanks and hyphens, joined by a comma; empty when it does not say. */
  readonly account: string;
  readonly lines: readonly BankLine[];
  readonly rejects: readonly StatementReject[];
  /** Entries that the bank has announced and not booked; they come again once they are. */
  readonly pendingEntries: number;
}

/** An account number or IBAN without what banks put in to make it readable. */
export function accountId(text: string): string {
  return text.replace(/[\s-]/gu, "").toUpperCase();
}

/** Joins what a bank says in several places: blanks collapsed, empty and repeated parts left out. */
export function joinedText(parts: readonly string[]): string {
  const said = new Set(parts.map((part) => part.replace(/\s+/gu, " ").trim()).filter((part) => part !== ""));
  return [...said].join(" ");
}

/** Quotes a value of the file for a message: short, on one line, without control characters. */
export function quoted(value: string): string {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return `"${shown.replaceAll(/\p{Cc}/gu, " ")}"`;
}

/** `YYYY-MM-DD` of a day that exists between 1970 and 2199; undefined for any other. */
export function calendarDay(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists && year >= 1970 && year < 2200 ? date.toISOString().slice(0, 10) : undefined;
}
