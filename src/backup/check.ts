/** Compares what was restored with what the backup's manifest says, in every way there is. */
import { verifyAudit } from "../audit/verify.ts";
import type { AuditKeyring } from "../audit/chain.ts";
import type { Queries } from "../db/database.ts";
import { UserError } from "../errors.ts";
import { totalsOf, type CatalogTable } from "./catalog.ts";
import { canonicalHeader, type Header, type Manifest, type TableControl } from "./format.ts";
import type { Loaded } from "./load.ts";

/** @throws {UserError} when the manifest does not belong to what came before it, or that was changed. */
export function checkBytes(header: Header, manifest: Manifest, loaded: ReadonlyMap<string, Loaded>): void {
  if (canonicalHeader(header) !== canonicalHeader(manifest))
    throw new UserError("its beginning and its end do not belong together");
  for (const table of manifest.tables) {
    const found = loaded.get(table.name);
    if (found?.sha256 !== table.sha256 || String(found.bytes) !== table.bytes)
      throw new UserError(`the rows of ${table.name} are not those that were backed up`);
  }
}

/** Counts and sums the restored rows. @throws {UserError} that names what differs. */
export async function checkTotals(
  queries: Queries,
  manifest: Manifest,
  tables: readonly CatalogTable[],
): Promise<void> {
  const numbers = new Map(tables.map((table) => [table.name, table.numbers]));
  for (const table of manifest.tables) {
    const now = await totalsOf(queries, { name: table.name, numbers: numbers.get(table.name) ?? [] });
    const difference = differenceOf(table, now);
    if (difference !== undefined) throw new UserError(`${table.name} was not restored as it was: ${difference}`);
  }
}

function differenceOf(then: TableControl, now: Pick<TableControl, "rows" | "sums">): string | undefined {
  if (then.rows !== now.rows) return `${now.rows} rows, ${then.rows} were backed up`;
  const column = Object.keys(then.sums).find((name) => then.sums[name] !== now.sums[name]);
  return column === undefined ? undefined : `the sum of ${column} is ${now.sums[column]}, it was ${then.sums[column]}`;
}

/** What is wrong with the restored audit chain; undefined when it verifies, and ends where it ended. */
export async function chainProblem(
  queries: Queries,
  manifest: Manifest,
  keyring: AuditKeyring,
): Promise<string | undefined> {
  const verdict = await verifyAudit(queries, keyring);
  if (!verdict.ok) return `it is broken at record ${verdict.brokenAt}: ${verdict.reason}`;
  const { records, head } = manifest.audit;
  return verdict.head === head && String(verdict.records) === records ? undefined : "it does not end where it ended";
}
