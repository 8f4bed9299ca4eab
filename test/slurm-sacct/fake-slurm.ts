/** Programs that stand in for Slurm's: real files, really started, each written by the test that needs it. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import type { DumpBatch } from "../../src/slurm/sacct-reader.ts";
import type { SacctOptions } from "../../src/slurm/sacct/tools.ts";

const callSchema = z.object({ args: z.array(z.string()), env: z.record(z.string(), z.string()) });
export type Call = z.infer<typeof callSchema>;

/** What each program does first: it writes down how it was called. `here` is the folder of this fake Slurm. */
const PRELUDE = `#!${process.execPath}
const fs = require("node:fs");
const here = __dirname;
const args = process.argv.slice(2);
fs.appendFileSync(__filename + ".calls", JSON.stringify({ args, env: process.env }) + "\\n");
`;

export class FakeSlurm {
  /** An odd name, which a shell would take apart. */
  readonly folder = join(mkdtempSync(join(tmpdir(), "hpcb-sacct-")), "a b;$(exit 9)'");

  constructor() {
    mkdirSync(this.folder);
  }

  /** Writes one of the programs as the body of a script. */
  program(name: "sacct" | "sacctmgr" | "sreport", body: string): this {
    const path = join(this.folder, name);
    writeFileSync(path, PRELUDE + body);
    chmodSync(path, 0o755);
    return this;
  }

  /** A program that prints this and ends well. */
  prints(name: "sacct" | "sacctmgr" | "sreport", text: string): this {
    return this.program(name, `fs.writeSync(1, ${JSON.stringify(text)});`);
  }

  calls(name: string): Call[] {
    const path = join(this.folder, `${name}.calls`);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    return lines.map((line) => callSchema.parse(JSON.parse(line)));
  }

  options(changes: Partial<SacctOptions> = {}): SacctOptions {
    return {
      sacctPath: join(this.folder, "sacct"),
      slurmConf: null,
      cluster: "testbed",
      user: null,
      timeouts: { readSeconds: 30, askSeconds: 30, killSeconds: 5 },
      ...changes,
    };
  }

  remove(): void {
    rmSync(join(this.folder, ".."), { recursive: true, force: true });
  }
}

export const HEADER = "JobIDRaw|JobID|Cluster|User|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES|JobName\n";

/** One row of a job that ran for ten minutes. */
export function jobRow(rawJobId: string, cluster = "testbed"): string {
  const times = "2026-10-01T08:00:00|2026-10-01T08:00:00|2026-10-01T08:10:00|600";
  return `${rawJobId}|${rawJobId}|${cluster}|alice|mu-climate|COMPLETED|${times}|billing=2,cpu=2,mem=1G,node=1|run\n`;
}

export interface Outcome {
  readonly records: readonly JobRecord[];
  /** What the reading ended with, when it failed. */
  readonly error: unknown;
}

/** Reads to the end, and keeps what came before an error. */
export async function readAll(batches: AsyncIterable<DumpBatch>): Promise<Outcome> {
  const records: JobRecord[] = [];
  try {
    for await (const batch of batches) records.push(...batch.records);
    return { records, error: null };
  } catch (error) {
    return { records, error };
  }
}

/** Whether a process is there and not just waiting to be taken note of by its parent. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
