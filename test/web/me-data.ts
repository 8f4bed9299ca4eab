/** Jobs of a researcher over two and a half months, the same at every run, ending on 31 October 2026. */
import { checkAudit } from "../../src/audit/verify.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { setRate, setRules } from "../../src/usage/prices/change.ts";
import { repriceAll } from "../../src/usage/prices/reprice.ts";
import { aJob, at, TEST_KEYRING, type TestContext } from "../support/context.ts";

const BY = { actor: "root" };
const HOUR = 3_600;
const KINDS = [
  {
    jobName: "train-resnet",
    account: "mu-climate",
    partition: "gpu",
    allocCpus: 16,
    allocMemMib: 65_536,
    gpu: { type: "a100", count: 2 },
  },
  { jobName: "sweep", account: "mu-climate", partition: "cpu", allocCpus: 4, allocMemMib: 8_192, gpu: null },
  { jobName: "align", account: "mu-genome", partition: "cpu", allocCpus: 32, allocMemMib: 122_880, gpu: null },
  {
    jobName: "train-vit",
    account: "mu-climate",
    partition: "gpu",
    allocCpus: 8,
    allocMemMib: 49_152,
    gpu: { type: "h100", count: 1 },
  },
  { jobName: "mpi-test", account: "mu-teaching", partition: "debug", allocCpus: 128, allocMemMib: 262_144, gpu: null },
] as const;
const STATES = [
  "COMPLETED",
  "COMPLETED",
  "COMPLETED",
  "COMPLETED",
  "TIMEOUT",
  "COMPLETED",
  "FAILED",
  "COMPLETED",
  "COMPLETED",
  "CANCELLED",
];

/** Sets prices and rules, and imports somebody's jobs: 240 that ended and one that still runs. */
export async function importResearcher(context: TestContext, user = "alice"): Promise<void> {
  const rate = {
    tier: "mu",
    cpuMicro: 1_250_000n,
    gpuMicro: 42_500_000n,
    memMicro: 35_000n,
    effectiveFrom: new Date("2026-08-01T00:00:00+07:00"),
    note: "",
  } as const;
  await setRate(
    context,
    {
      ...rate,
      gpuTypeMicro: new Map([
        ["a100", 42_500_000n],
        ["h100", 140_000_000n],
      ]),
    },
    BY,
  );
  const exemptions = [{ kind: "state", state: "NODE_FAIL", reason: "the node failed" }] as const;
  await setRules(context, { basis: "allocated", exemptions, shares: [], effectiveFrom: null, note: "" }, BY);
  await context.importJobs([...history(user), ...lastDay(user)]);
  await repriceAll(context);
  await checkAudit(context.db, TEST_KEYRING, context.clock);
}

function history(user: string): JobRecord[] {
  return Array.from({ length: 236 }, (_, index) => {
    const kind = KINDS[(index * 7 + (index % 5)) % KINDS.length] ?? KINDS[0];
    // Spread unevenly over 78 days: busy days, idle days.
    const endAt = at("2026-08-14T02:00:00Z") + Math.floor(((index * 37) % 236) * 0.33 * 24) * HOUR + index * 61;
    const elapsedSeconds = 120 + ((index * 7_919) % 23_000);
    return aRun(user, kind, {
      rawJobId: String(900_000 + index),
      endAt,
      elapsedSeconds,
      state: STATES[index % STATES.length] ?? "COMPLETED",
    });
  });
}

/** The rows everybody looks at first: one of each kind. */
function lastDay(user: string): JobRecord[] {
  const end = (time: string): number => at(`2026-10-31T${time}:00+07:00`);
  return [
    aRun(user, KINDS[0], { rawJobId: "918273", endAt: end("11:14"), elapsedSeconds: 12_015, state: "COMPLETED" }),
    aRun(user, KINDS[1], {
      rawJobId: "918264",
      jobId: "918260_4",
      endAt: end("10:02"),
      elapsedSeconds: 86_400,
      state: "TIMEOUT",
    }),
    aRun(user, KINDS[4], { rawJobId: "918255", endAt: end("09:40"), elapsedSeconds: 761, state: "NODE_FAIL" }),
    aRun(user, KINDS[2], { rawJobId: "918249", endAt: end("08:55"), elapsedSeconds: 3_850, state: "COMPLETED" }),
    {
      ...aRun(user, KINDS[3], { rawJobId: "918301", endAt: end("11:59"), elapsedSeconds: 21_600, state: "RUNNING" }),
      phase: "active",
      endAt: null,
    },
  ];
}

type Kind = (typeof KINDS)[number];
type Run = Pick<JobRecord, "rawJobId" | "elapsedSeconds" | "state"> & {
  readonly endAt: number;
  readonly jobId?: string;
};

function aRun(user: string, { gpu, ...kind }: Kind, { endAt, ...run }: Run): JobRecord {
  const startAt = endAt - run.elapsedSeconds;
  return aJob({
    ...kind,
    ...run,
    user,
    jobId: run.jobId ?? run.rawJobId,
    endAt,
    startAt,
    submitAt: startAt - 95,
    allocGpus: gpu?.count ?? 0,
    gpuTypes: gpu === null ? [] : [gpu],
    usedCpuMs: BigInt(run.elapsedSeconds) * BigInt(kind.allocCpus) * 730n,
    usedMemKibSeconds: BigInt(run.elapsedSeconds) * 3_000_000n,
    energyJoules: BigInt(run.elapsedSeconds) * 310n,
    nodeList: "node[07-08]",
  });
}
