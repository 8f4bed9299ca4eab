/** The first line of a dump: what separates the columns, and which columns there are. */
import { UserError } from "../errors.ts";
import { layoutOf, type Layout } from "./columns.ts";
import { quoted } from "./parsed.ts";

/** How the rows behind the header are written. */
export interface Dialect {
  readonly kind: "sacct" | "csv";
  readonly delimiter: number;
  readonly layout: Layout;
}

export type DumpFormat = "auto" | "sacct" | "csv";

/** A separator that no text of Slurm's can hold: `sacct --parsable2 --delimiter=$'\x1f'`. */
const UNIT_SEPARATOR = "\u001f";
const ACCEPTED =
  "sacct --parsable2 output (columns separated by | or by the byte 0x1f) or CSV (columns separated by commas)";

/**
 * Reads the header line (without its line end and byte order mark).
 * @throws UserError when the separator is not one of `|`, 0x1f and `,`, does not fit `format`, or columns are missing.
 */
export function readHeader(text: string, format: DumpFormat): Dialect {
  if (text.includes("\0"))
    throw new UserError(
      `The file is not plain text (its first line has zero bytes); accepted is ${ACCEPTED}, in UTF-8.`,
    );
  const delimiter = [UNIT_SEPARATOR, "|", ","].find((candidate) => text.includes(candidate));
  if (delimiter === undefined) throw new UserError(`${foundInstead(text)} Accepted is ${ACCEPTED}.`);
  const kind = delimiter === "," ? "csv" : "sacct";
  if (format !== "auto" && format !== kind) {
    const found = delimiter === UNIT_SEPARATOR ? "the byte 0x1f" : quoted(delimiter);
    const wanted = format === "csv" ? "commas" : "| or the byte 0x1f";
    throw new UserError(
      `The columns of the header are separated by ${found}, but the format ${format} separates them by ${wanted}.`,
    );
  }
  const fields = text.split(delimiter);
  const layout = layoutOf(kind === "csv" ? fields.map(withoutQuotes) : fields);
  return { kind, delimiter: delimiter.charCodeAt(0), layout };
}

function foundInstead(text: string): string {
  if (text.includes(";")) return 'The columns of the header are separated by ";".';
  if (text.includes("\t")) return "The columns of the header are separated by tabs.";
  if (/\S\s+\S/u.test(text))
    return `The columns of the header are separated by spaces (sacct was run without --parsable2): ${quoted(text)}.`;
  return `The first line is no header of several columns: ${quoted(text)}.`;
}

function withoutQuotes(field: string): string {
  const trimmed = field.trim();
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed;
}
