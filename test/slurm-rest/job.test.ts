import { describe, expect, it } from "vitest";
import { readJob } from "../../src/slurm/rest/job.ts";
import { aRestJob } from "./server.ts";

const READING = { defaultCluster: null, knowsExitCodes: true };
const T0 = 1_790_000_000;

function recordOf(overrides: Readonly<Record<string, unknown>>) {
  const { record, rejects } = readJob(aRestJob(7, overrides), 1, READING);
  if (record === null) throw new Error(rejects[0]?.reason ?? "no reason");
  return record;
}

function reasonOf(overrides: Readonly<Record<string, unknown>>): string | undefined {
  return readJob(aRestJob(7, overrides), 1, READING).rejects[0]?.reason;
}

const unset = { set: false, infinite: false, number: 0 };
const set = (number: number) => ({ set: true, infinite: false, number });

describe("a job of slurmrestd", () => {
  it("becomes the record that sacct's rows of the same job become", () => {
    expect(recordOf({})).toEqual({
      cluster: "alpha",
      rawJobId: "7",
      jobId: "7",
      submitAt: T0,
      keyIsWeak: false,
      startAt: T0 + 50,
      endAt: T0 + 150,
      phase: "finished",
      state: "COMPLETED",
      user: "alice",
      account: "physics",
      partition: "cpu",
      qos: "normal",
      jobName: "wrf",
      exitCode: "0:0",
      nodeList: "n[1-2]",
      comment: "a comment",
      elapsedSeconds: 100,
      allocCpus: 8,
      allocNodes: 2,
      allocMemMib: 4096,
      allocGpus: 2,
      gpuTypes: [{ type: "a100", count: 2 }],
      allocBilling: 20,
      energyJoules: 0n,
      usedCpuMs: 800_000n,
      usedMemKibSeconds: null,
    });
  });

  it.each([
    ["an array task", { array: { job_id: 3, task_id: set(0), task: "" } }, "3_0"],
    ["an array task in v0.0.38", { array: { job_id: 3, task_id: 4, task: null } }, "3_4"],
    ["tasks that have not started", { array: { job_id: 918_260, task_id: unset, task: "5-9%2" } }, "918260_[5-9%2]"],
    ["a heterogeneous component", { het: { job_id: 77, job_offset: set(1) } }, "77+1"],
    ["a job of its own", { array: { job_id: 0, task_id: set(0) }, het: null }, "7"],
  ])("shows the id of %s as users know it", (_, overrides, jobId) => {
    expect(recordOf(overrides)).toMatchObject({ jobId, rawJobId: "7" });
  });

  it.each([
    ["COMPLETED", "COMPLETED", "finished"],
    [["CANCELLED"], "CANCELLED", "finished"],
    [["COMPLETED", "COMPLETING"], "COMPLETED", "finished"],
    [["PENDING", "REQUEUED"], "REQUEUED", "finished"],
    [["RUNNING", "COMPLETING"], "RUNNING", "active"],
    [["CONFIGURING", "RUNNING"], "RUNNING", "active"],
    [["SOMETHING_NEW"], "SOMETHING_NEW", "unknown"],
  ])("with the state %j is %s, %s", (current, state, phase) => {
    expect(recordOf({ state: { current, reason: "None" } })).toMatchObject({ state, phase });
  });

  it.each([
    [{ return_code: set(3), signal: { id: unset } }, "3:0"],
    [{ return_code: unset, signal: { id: set(15) } }, "0:15"],
    [{ return_code: 130, signal: { signal_id: 2 } }, "2:2"],
    [{ return_code: unset, signal: { id: unset } }, ""],
    [null, ""],
  ])("with the exit code %j ended with %j", (exit_code, exitCode) => {
    expect(recordOf({ exit_code })).toMatchObject({ exitCode });
  });

  it("that still runs has no end, whatever is told", () => {
    const time = { elapsed: 30, submission: T0, start: T0 + 1, end: 0 };
    expect(recordOf({ state: { current: ["RUNNING"] }, time })).toMatchObject({ endAt: null, elapsedSeconds: 30 });
  });

  it("that was cancelled while it was pending was given nothing", () => {
    const overrides = {
      state: { current: ["CANCELLED"] },
      time: { elapsed: 0, submission: T0, start: 0, end: T0 + 5 },
      tres: { allocated: [], requested: [{ type: "cpu", name: "", count: 64 }] },
    };
    expect(recordOf(overrides)).toMatchObject({ startAt: null, endAt: T0 + 5, allocCpus: 0, allocNodes: 0 });
  });

  it("is known by when it became eligible, weakly, where it has no submit time", () => {
    const time = { elapsed: 1, submission: 0, eligible: T0 + 2, start: T0 + 3, end: T0 + 4 };
    expect(recordOf({ time })).toMatchObject({ submitAt: T0 + 2, keyIsWeak: true });
  });

  it("takes user and cluster from its association where it has none itself", () => {
    const association = { user: "bob", cluster: "beta", account: "physics" };
    expect(recordOf({ user: "", cluster: null, association })).toMatchObject({ user: "bob", cluster: "beta" });
  });

  it("counts GPUs of two types and more", () => {
    const gres = (name: string, count: number) => ({ type: "gres", name, count });
    const allocated = [{ type: "cpu", name: null, count: 4 }, gres("gpu:h100", 1), gres("gpu", 3), gres("gpu:a100", 1)];
    expect(recordOf({ tres: { allocated } })).toMatchObject({
      allocGpus: 3,
      gpuTypes: [
        { type: "a100", count: 1 },
        { type: "h100", count: 1 },
      ],
    });
  });

  it("does not care about resources that are not billed", () => {
    const odd = { type: "fs", name: "disk", count: 0.5 };
    expect(recordOf({ tres: { allocated: [{ type: "cpu", count: 8 }, odd] } })).toMatchObject({ allocCpus: 8 });
  });

  it.each([
    ["job_id", { job_id: 0 }, "job_id 0 is not a job id"],
    ["job_id", { job_id: null }, "job_id null is not a job id"],
    ["user", { user: null }, "user is empty"],
    ["account", { account: "a".repeat(256) }, "account is longer than 255 characters"],
    ["cluster", { cluster: "" }, "cluster is empty"],
    ["state", { state: null }, "state.current is empty"],
    ["time", { time: { submission: "soon" } }, 'time.submission "soon" is not a time'],
    ["time", { time: null }, "it has neither start nor end"],
    ["tres", { tres: { allocated: [{ type: "cpu", count: 0.5 }] } }, "count is not a whole number"],
    ["tres", { tres: { allocated: [{ type: "mem", count: 5 }] } }, "tres.allocated does not say on how many CPUs"],
    ["tres", { tres: { allocated: {} } }, "tres.allocated {} is not a list"],
    [
      "length",
      { time: { submission: T0, start: T0, end: 0, elapsed: 1_000_000_000_000_000 } },
      "it ran for 1000000000000000 s, which is more than can be true",
    ],
    [
      "CPU time",
      { tres: { allocated: [{ type: "cpu", count: 9_007_199_254_740_991 }] } },
      "9007199254740991 CPUs for 100 s are more than can be true",
    ],
    [
      "tres",
      {
        tres: {
          allocated: [
            { type: "cpu", count: 1 },
            { type: "cpu", count: 2 },
          ],
        },
      },
      "twice",
    ],
  ])("is refused with a reason when its %s cannot be right", (_, overrides, reason) => {
    expect(reasonOf(overrides)).toContain(reason);
  });

  it("is kept as it was told when it is refused, up to 4,096 characters", () => {
    const { rejects } = readJob(aRestJob(7, { user: null, name: "x".repeat(10_000) }), 12, READING);
    expect(rejects).toMatchObject([{ line: 12, text: expect.stringMatching(/^\{"job_id":7,/u) }]);
    expect(rejects[0]?.text).toHaveLength(4096);
  });

  it("that is no object at all is refused", () => {
    for (const odd of [null, 3, "job", []]) expect(readJob(odd, 1, READING)).toMatchObject({ record: null });
  });
});

const aStep = (id: unknown, total: unknown, memBytes: number | null = 0, elapsed = 10): unknown => ({
  step: { id, name: "wrf" },
  time: { elapsed, start: set(T0), end: set(T0 + elapsed), total },
  statistics: { energy: { consumed: set(50) } },
  tres: { requested: { average: [{ type: "mem", name: "", count: memBytes }] } },
});

describe("the steps of a job", () => {
  it("sum up to what the job used, to the millisecond and the KiB", () => {
    const steps = [
      aStep("7.batch", { seconds: 3, microseconds: 909_999 }, 4_755_456),
      aStep("7.0", { seconds: 0, microseconds: 1_500_000 }, 1536),
    ];
    expect(recordOf({ steps })).toMatchObject({
      usedCpuMs: 3909n + 1500n,
      usedMemKibSeconds: 4644n * 10n + 2n * 10n,
      energyJoules: 100n,
    });
  });

  it("count whole seconds of CPU time from one hour on, as sacct prints no more", () => {
    const step = (seconds: number) => recordOf({ steps: [aStep(0, { seconds, microseconds: 999_000 })] }).usedCpuMs;
    expect([step(3599), step(3600)]).toEqual([3_599_999n, 3_600_000n]);
  });

  it("count once when one is listed twice, and one that disagrees is rejected", () => {
    const total = { seconds: 1, microseconds: 0 };
    const steps = [aStep("7.0", total), aStep("7.0", total), aStep("7.0", { seconds: 2, microseconds: 0 })];
    const { record, rejects, rowsRead } = readJob(aRestJob(7, { steps }), 1, READING);
    expect(record?.usedCpuMs).toBe(1000n);
    expect(rejects).toMatchObject([{ line: 1, reason: expect.stringContaining("listed twice") }]);
    expect(rowsRead).toBe(4);
  });

  it("leave CPUs times elapsed as the used time where they report none", () => {
    expect(recordOf({ steps: [aStep("7.batch", null, null)] }).usedCpuMs).toBe(800_000n);
  });

  it("of heterogeneous jobs are told apart by their component", () => {
    const total = { seconds: 1, microseconds: 0 };
    const step = (component: number) => ({ ...Object(aStep(0, total)), step: { id: 0, het: { component } } });
    expect(recordOf({ steps: [step(0), step(1)] }).usedCpuMs).toBe(2000n);
  });
});
