import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import { UpstreamError, UserError } from "../../errors.ts";
import type { Clock } from "../../clock.ts";
import { listDrops, namedDrop, type Drop } from "../../slurm/drop-folder.ts";
import { openDump } from "../../slurm/input.ts";
import { readDump, type DumpBatch } from "../../slurm/sacct-reader.ts";
import { JOBS_PER_BATCH } from "../import/batch.ts";

/** Where dumps lie: a folder in which they appear, or one file. */
export type FilePlace = { readonly folder: string } | { readonly file: string };

export interface FileImport {
  readonly signal: AbortSignal;
  /** Imports the batches of one file. */
  readonly importBatches: (batches: AsyncIterable<DumpBatch>, path: string) => Promise<void>;
}

/** A file that did not change for so long is taken to be whole. */
const SETTLE_SECONDS = 10;

/**
 * Imports the files of the given places that are new or have changed since they were last taken in; the others are left
 * alone. A file that cannot be read does not keep the others from being imported.
 *
 * @throws {UpstreamError} that names every file and folder that could not be read, after the others were imported.
 */
export async function importFiles(
  context: { readonly db: Database; readonly clock: Clock },
  cluster: string,
  places: readonly FilePlace[],
  options: FileImport,
): Promise<void> {
  const problems: string[] = [];
  for (const place of places) {
    try {
      for (const drop of await filesOf(place, context.clock.now())) {
        options.signal.throwIfAborted();
        const problem = await takeIn(context, cluster, drop, options).catch(unreadableOnly);
        if (problem !== null) problems.push(problem);
      }
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new UpstreamError(problems.join("; "));
}

/** A file that may not be opened is named like one that cannot be understood; it is tried again the next time. */
function unreadableOnly(error: unknown): string {
  if (error instanceof UpstreamError) return error.message;
  throw error;
}

async function filesOf(place: FilePlace, now: Date): Promise<readonly Drop[]> {
  if ("folder" in place) return (await listDrops(place.folder, { now, settleSeconds: SETTLE_SECONDS })).ready;
  return [await namedDrop(place.file)];
}

/** Imports one file unless it was imported before as it is; returns what was wrong with it. */
async function takeIn(
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  cluster: string,
  drop: Drop,
  { importBatches }: FileImport,
): Promise<string | null> {
  const known = await db.maybeOne(
    z.object({ size_bytes: z.bigint(), modified_at: z.date(), sha256: z.string(), error: z.string().nullable() }),
    sql`SELECT size_bytes, modified_at, encode(sha256, 'hex') AS sha256, error FROM dropped_files
        WHERE cluster = ${cluster} AND path = ${drop.path}`,
  );
  const isSameAge =
    known?.modified_at.getTime() === drop.modifiedAt.getTime() && known.size_bytes === BigInt(drop.sizeBytes);
  if (isSameAge) return known.error;
  const sha256 = await drop.sha256();
  const problem = known?.sha256 === sha256 ? known.error : await importOne(cluster, drop.path, importBatches);
  await db.run(
    sql`INSERT INTO dropped_files (cluster, path, sha256, size_bytes, modified_at, imported_at, error)
        VALUES (${cluster}, ${drop.path}, decode(${sha256}, 'hex'), ${drop.sizeBytes}, ${drop.modifiedAt}, ${clock.now()}, ${problem})
        ON CONFLICT (cluster, path) DO UPDATE SET sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
          modified_at = excluded.modified_at, imported_at = excluded.imported_at, error = excluded.error`,
  );
  return problem;
}

async function importOne(
  cluster: string,
  path: string,
  importBatches: FileImport["importBatches"],
): Promise<string | null> {
  try {
    const { bytes } = await openDump(path);
    await importBatches(
      readDump(bytes, { defaultCluster: cluster, format: "auto", jobsPerBatch: JOBS_PER_BATCH }),
      path,
    );
    return null;
  } catch (error) {
    // The file itself is wrong; anything else is no fact about the file.
    if (error instanceof UserError) return `${path}: ${error.message}`;
    throw error;
  }
}
