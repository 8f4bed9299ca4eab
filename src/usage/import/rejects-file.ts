import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { once } from "node:events";
import { basename, join } from "node:path";
import { finished } from "node:stream/promises";
import type { RejectedRow } from "../../slurm/job-record.ts";

/** Keeps the rows that could not be read: one file per import, made with the first of them. */
export interface RejectsFile {
  write(rows: readonly RejectedRow[]): Promise<void>;
  close(): Promise<KeptRejects>;
}

/** What was kept: where (null: nothing), how many rows, and the first reasons as `line: reason`. */
export interface KeptRejects {
  readonly path: string | null;
  readonly rows: number;
  readonly firstReasons: readonly string[];
}

const SHOWN_REASONS = 10;

/** @param source the file that is imported; its name becomes part of the rejects file's. */
export function openRejects(dataDir: string, source: string, now: Date): RejectsFile {
  const name = source === "-" ? "stdin" : basename(source).replace(/[^\w.-]+/gu, "_");
  const path = join(dataDir, "rejects", `${name}-${now.toISOString().replace(/[:.]/gu, "")}-${process.pid}.tsv`);
  let stream: WriteStream | undefined;
  let count = 0;
  const firstReasons: string[] = [];
  return {
    async write(rows) {
      if (stream === undefined) {
        mkdirSync(join(dataDir, "rejects"), { recursive: true });
        stream = createWriteStream(path);
        stream.write("line\treason\ttext\n");
      }
      for (const row of rows) {
        count++;
        if (firstReasons.length < SHOWN_REASONS) firstReasons.push(`${row.line}: ${row.reason}`);
        if (!stream.write(`${row.line}\t${oneLine(row.reason)}\t${oneLine(row.text)}\n`)) await once(stream, "drain");
      }
    },
    async close() {
      if (stream !== undefined) {
        stream.end();
        await finished(stream);
      }
      return { path: stream === undefined ? null : path, rows: count, firstReasons };
    },
  };
}

function oneLine(text: string): string {
  return text.replace(/[\t\r\n]/gu, " ");
}
