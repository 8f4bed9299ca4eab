/** The cluster that `test/slurm/run` started, what it says of itself, and ways to hurt it. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { clusterSetups } from "../../src/cluster-sources.ts";
import type { ClusterConfig, SlurmrestdConfig } from "../../src/config-slurm.ts";
import { sql, type Database } from "../../src/db/database.ts";
import { withName, type NamedCluster } from "../../src/usage/sync/clusters.ts";
import { syncCluster, type SyncContext, type SyncOutcome } from "../../src/usage/sync/sync-cluster.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: start these tests with test/slurm/run`);
  return value;
}

export const DIR = variable("SLURM_TEST_DIR");
export const REST_URL = variable("SLURMRESTD_URL");
export const TOKEN = variable("SLURMRESTD_TOKEN");
const SLURM_CONF = variable("SLURM_CONF");
const UP = join(import.meta.dirname, "cluster/up");

/** slurmrestd of the cluster, or something in front of it. */
export function restConfig(more: Partial<SlurmrestdConfig> = {}): SlurmrestdConfig {
  return {
    url: REST_URL,
    user: variable("SLURMRESTD_USER"),
    token: { kind: "value", value: TOKEN },
    version: null,
    caPath: null,
    clientCertPath: null,
    clientKeyPath: null,
    ...more,
  };
}

export const SACCT = { path: "sacct", isNamed: true, slurmConf: SLURM_CONF } as const;

export function clusterWith(sources: Partial<Pick<ClusterConfig, "slurmrestd" | "sacct">>): NamedCluster {
  const [setup] = clusterSetups([
    { name: "alpha", slurmrestd: null, sacct: null, dropFolder: null, fallbackFile: null, ...sources },
  ]);
  if (setup === undefined) throw new Error("there is no cluster");
  return withName(setup, "alpha");
}

/** A database of its own, at the time that it is. */
export function contextNow(): Promise<TestContext> {
  return createTestContext({ now: new Date().toISOString() });
}

export function syncNow(context: TestContext, cluster: NamedCluster): Promise<SyncOutcome> {
  context.clock.set(new Date().toISOString());
  const startAt = Math.floor(Date.now() / 1000) - 86_400;
  const syncing: SyncContext = {
    ...context,
    policy: () => ({ startAt, overlapSeconds: 6 * 3_600, windowSeconds: 86_400 }),
  };
  return syncCluster(syncing, cluster, { actor: "test" });
}

/** One of Slurm's programs, as the cluster's administrator. */
export async function slurm(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { env: { ...process.env, SLURM_CONF, TZ: "UTC" } });
  return stdout;
}

/** What a run was allocated, times how long it had it. */
export interface RunFacts {
  readonly key: string;
  readonly state: string;
  /** Seconds since 1970 UTC. */
  readonly endAt: number;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
}

/**
 * What sacct says of all runs that ended, read by nothing of ours: the text is cut at its separator, and the amounts are
 * found in it.
 */
export async function sacctSays(...only: readonly string[]): Promise<RunFacts[]> {
  const printed = await slurm(
    "sacct",
    "--allusers", "--allocations", "--duplicates", "--noheader", "--parsable2", "--delimiter=\u001f",
    "--starttime=now-2days", "--format=JobIDRaw,Submit,State,End,ElapsedRaw,AllocTRES",
    ...only,
  ); // prettier-ignore
  const facts = printed.split("\n").flatMap((line): RunFacts[] => {
    const [id, submit = "", state = "", end = "", elapsed = "0", tres = ""] = line.split("\u001f");
    if (id === undefined || id === "" || /PENDING|RUNNING/u.test(state)) return [];
    const seconds = BigInt(elapsed);
    return [
      {
        key: `${id} ${Date.parse(`${submit}Z`) / 1000}`,
        state: state.split(" ")[0] ?? "",
        endAt: Date.parse(`${end}Z`) / 1000,
        cpuSeconds: seconds * BigInt(/\bcpu=(\d+)/u.exec(tres)?.[1] ?? 0),
        gpuSeconds: seconds * BigInt(/gres\/gpu=(\d+)/u.exec(tres)?.[1] ?? 0),
        memMibSeconds: seconds * mib(/\bmem=([\d.]+[MG])/u.exec(tres)?.[1] ?? "0M"),
      },
    ];
  });
  return facts.sort(byKey);
}

function mib(amount: string): bigint {
  return BigInt(Math.round(Number.parseFloat(amount) * (amount.endsWith("G") ? 1024 : 1)));
}

const factsSchema = z
  .object({
    raw_job_id: z.string(),
    submit_epoch: z.bigint(),
    state: z.string(),
    end_epoch: z.bigint(),
    cpu_seconds: z.bigint(),
    gpu_seconds: z.bigint(),
    mem_mib_seconds: z.bigint(),
  })
  .transform((row): RunFacts => ({
    key: `${row.raw_job_id} ${row.submit_epoch}`,
    state: row.state,
    endAt: Number(row.end_epoch),
    cpuSeconds: row.cpu_seconds,
    gpuSeconds: row.gpu_seconds,
    memMibSeconds: row.mem_mib_seconds,
  }));

/** The same of what we hold. */
export async function weHold(db: Database): Promise<RunFacts[]> {
  const facts = await db.rows(
    factsSchema,
    sql`SELECT raw_job_id, extract(epoch FROM submit_at)::bigint AS submit_epoch, state,
               extract(epoch FROM end_at)::bigint AS end_epoch,
               alloc_cpus * elapsed_seconds AS cpu_seconds, alloc_gpus * elapsed_seconds AS gpu_seconds,
               alloc_mem_mib * elapsed_seconds AS mem_mib_seconds
        FROM jobs WHERE phase = 'finished'`,
  );
  return facts.sort(byKey);
}

function byKey(a: RunFacts, b: RunFacts): number {
  return a.key < b.key ? -1 : 1;
}

export type Daemon = "slurmrestd" | "slurmdbd";

/** Ends a daemon as a crash would. */
export async function killDaemon(name: Daemon): Promise<void> {
  const pid = Number(readFileSync(join(DIR, "run", `${name}.pid`), "utf8"));
  process.kill(pid, "SIGKILL");
  await until(`${name} is gone`, () => !isAlive(pid));
}

/** Starts whatever of the cluster does not run. */
export function restoreCluster(): void {
  execFileSync(UP, { env: { ...process.env, SLURM_TEST_DIR: DIR }, stdio: "ignore" });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A dead process keeps its number until its parent has looked.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

/** Changes accounting behind Slurm's back, as somebody who repairs its database does. */
export function repairAccounting(statement: string): void {
  execFileSync("mariadb", [
    "--no-defaults",
    "-uroot",
    "-S",
    join(DIR, "run/db.sock"),
    "slurm_acct_db",
    "-e",
    statement,
  ]);
}
