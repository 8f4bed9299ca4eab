export interface CsvRow {
  readonly [column: string]: string;
}

/** Reads a file whose cells hold no commas. */
export function csvRows(text: string): CsvRow[] {
  const [header = "", ...lines] = text.trim().split("\r\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, index) => [names[index] ?? "", cell])));
}

/** Sum of a column of amounts, in minor units. */
export function minorSum(rows: readonly CsvRow[], column: string): bigint {
  return rows.reduce((sum, row) => sum + BigInt((row[column] ?? "0").replace(".", "")), 0n);
}
