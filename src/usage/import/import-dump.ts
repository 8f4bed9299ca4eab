import { messageOf, UserError } from "../../errors.ts";
import { openDump } from "../../slurm/input.ts";
import { readDump, type DumpFormat } from "../../slurm/sacct-reader.ts";
import { JOBS_PER_BATCH } from "./batch.ts";
import type { ImportContext } from "./context.ts";
import { importRecords, type ImportTotals } from "./import.ts";
import { openRejects, type KeptRejects } from "./rejects-file.ts";

export interface DumpImport {
  /** A file, or `-` for standard input. */
  readonly path: string;
  /** Where the rejects file goes. */
  readonly dataDir: string;
  /** The cluster of rows that name none. */
  readonly cluster: string;
  readonly format: DumpFormat;
  readonly actor: string;
  /** Called once the input is open; gets the name for people, and the size where there is one. */
  readonly onOpen?: (name: string, sizeBytes: number | null) => void;
  readonly onProgress?: (totals: ImportTotals, bytesRead: number) => void;
  /** Called at the end, also of an import that failed, with what could not be read. */
  readonly onEnd: (name: string, kept: KeptRejects) => void;
}

/**
 * Imports one dump and keeps the rows it could not read.
 *
 * @throws {UserError} that names the file, when the whole of it cannot be used.
 */
export async function importDump(context: ImportContext, dump: DumpImport): Promise<ImportTotals> {
  const { name, bytes, sizeBytes } = await openDump(dump.path);
  dump.onOpen?.(name, sizeBytes);
  const rejects = openRejects(dump.dataDir, dump.path, context.clock.now());
  try {
    const batches = readDump(bytes, {
      defaultCluster: dump.cluster,
      format: dump.format,
      jobsPerBatch: JOBS_PER_BATCH,
    });
    return await importRecords(context, batches, {
      source: name,
      actor: dump.actor,
      onRejects: (rows) => rejects.write(rows),
      onProgress: dump.onProgress ?? (() => undefined),
    });
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${name}: ${messageOf(error)}`, { cause: error });
    throw error;
  } finally {
    dump.onEnd(name, await rejects.close());
  }
}
