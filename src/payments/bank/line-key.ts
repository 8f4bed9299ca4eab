import { createHash } from "node:crypto";
import type { BankStatement } from "./statement.ts";

/**
 * One key per line of a statement, in the order of its lines: SHA-256 in hex of what the bank says of the line. The
 * same line has the same key in every statement that holds its whole day, and truly equal lines of one day are told
 * apart by their ordinal, so that overlapping statements add nothing twice and two equal transfers stay two.
 */
export function lineKeys({ lines }: Pick<BankStatement, "lines">): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const content = JSON.stringify([
      line.account,
      line.bookedOn,
      line.amountMinor.toString(),
      line.currency,
      line.bankReference,
      line.text,
    ]);
    const ordinal = (seen.get(content) ?? 0) + 1;
    seen.set(content, ordinal);
    return createHash("sha256").update(`${content} ${ordinal}`).digest("hex");
  });
}
