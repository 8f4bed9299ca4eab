/** The bytes of a backup, written and read as a stream: memory holds one piece of a table. */
import { createHash } from "node:crypto";
import type { AuditKeyring } from "../audit/chain.ts";
import { totalsOf, type CatalogTable } from "./catalog.ts";
import { HEADER, MANIFEST, signManifest, type Header, type Manifest, type TableControl } from "./format.ts";
import type { Snapshot } from "./snapshot.ts";
import { tarEnd, tarEntry } from "./tar.ts";

const PIECE_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface ArchiveOptions {
  readonly version: string;
  readonly takenAt: Date;
  readonly keyring: AuditKeyring;
  readonly onTable: (name: string) => void;
  /** Told once, before the last bytes are given. */
  readonly onManifest: (manifest: Manifest) => void;
}

/** A snapshot as a tar archive. */
export async function* archiveOf(snapshot: Snapshot, options: ArchiveOptions): AsyncGenerator<Buffer> {
  const header: Header = {
    format: 1,
    product: "hpc-billing",
    version: options.version,
    taken_at: options.takenAt.toISOString(),
    ...snapshot.header,
  };
  yield* tarEntry({ name: HEADER, data: json(header) }, options.takenAt);
  const tables: TableControl[] = [];
  for (const table of snapshot.tables) {
    options.onTable(table.name);
    tables.push(yield* piecesOf(snapshot, table, options.takenAt));
  }
  const manifest: Manifest = { ...header, tables };
  options.onManifest(manifest);
  yield* tarEntry({ name: MANIFEST, data: json(signManifest(manifest, options.keyring)) }, options.takenAt);
  yield tarEnd();
}

async function* piecesOf(snapshot: Snapshot, table: CatalogTable, takenAt: Date): AsyncGenerator<Buffer, TableControl> {
  const digest = createHash("sha256");
  let bytes = 0n;
  let number = 0;
  for await (const data of inWholeRows(snapshot.rows(table))) {
    digest.update(data);
    bytes += BigInt(data.length);
    number++;
    yield* tarEntry({ name: `tables/${table.name}/${String(number).padStart(6, "0")}.copy`, data }, takenAt);
  }
  // Asked of the same snapshot: what was written since is in neither.
  const totals = await totalsOf(snapshot.ask, table);
  const { name, columns } = table;
  return { name, columns, ...totals, bytes: String(bytes), sha256: digest.digest("hex") };
}

/** Cuts behind the end of a row, so that each piece can be loaded by itself. In this format every row is one line. */
async function* inWholeRows(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    pending.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    const all = Buffer.concat(pending);
    const end = all.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield all.subarray(0, end);
    pending = [all.subarray(end)];
    bytes = all.length - end;
  }
  if (bytes > 0) yield Buffer.concat(pending);
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}
