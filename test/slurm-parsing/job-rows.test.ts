import { describe, expect, it } from "vitest";
import { dump, job, present, readOnly, readWhole, step, without, type Fields } from "./dump.ts";

const at = (utc: string): number => Date.parse(`${utc}Z`) / 1000;

async function reasonFor(changes: Fields, columns?: readonly string[]): Promise<string> {
  const { records, rejects } = await readWhole(dump([job(changes)], columns === undefined ? {} : { columns }));
  expect(records).toEqual([]);
  return present(rejects[0]).reason;
}

describe("a job's row", () => {
  it("becomes a record in integers", async () => {
    expect(
      await readOnly(
        dump([
          job({
            AllocTRES: "billing=20,cpu=4,gres/gpu:a100=1,gres/gpu=1,mem=62.50G,node=1",
            ConsumedEnergyRaw: "5000",
            Comment: "hi",
          }),
        ]),
      ),
    ).toEqual({
      cluster: "c1",
      rawJobId: "7",
      jobId: "7",
      submitAt: at("2026-11-01T08:00:00"),
      keyIsWeak: false,
      startAt: at("2026-11-01T08:01:00"),
      endAt: at("2026-11-01T08:11:00"),
      phase: "finished",
      state: "COMPLETED",
      user: "alice",
      account: "physics",
      partition: "cpu",
      qos: "normal",
      jobName: "run",
      exitCode: "0:0",
      nodeList: "n1",
      comment: "hi",
      elapsedSeconds: 600,
      allocCpus: 4,
      allocNodes: 1,
      allocMemMib: 64_000,
      allocGpus: 1,
      gpuTypes: [{ type: "a100", count: 1 }],
      allocBilling: 20,
      energyJoules: 5000n,
      usedCpuMs: 2_400_000n,
      usedMemKibSeconds: null,
    });
  });

  it("needs only the six columns that billing needs", async () => {
    const columns = ["JobID", "User", "State", "Start", "End", "AllocTRES"];
    expect(await readOnly(dump([job()], { columns }))).toMatchObject({
      rawJobId: "7",
      cluster: "here",
      elapsedSeconds: 600,
      allocCpus: 4,
      keyIsWeak: true,
    });
    const others = ["jobidraw", "USER", "state", "sTaRt", "Elapsed", "ncpus", "Submit"];
    const row = {
      jobidraw: "7",
      USER: "alice",
      state: "CD",
      sTaRt: "2026-11-01T08:01:00",
      Elapsed: "00:10:00",
      ncpus: "4",
      Submit: "2026-11-01T08:00:00",
    };
    expect(await readOnly(dump([row], { columns: others }))).toMatchObject({
      elapsedSeconds: 600,
      allocCpus: 4,
      keyIsWeak: false,
    });
  });

  it("takes the time it became eligible, else its start, when there is no submit time, and says that its key is weak", async () => {
    expect(
      await readOnly(dump([job({ Eligible: "2026-11-01T08:00:30" })], { columns: without("Submit") })),
    ).toMatchObject({ submitAt: at("2026-11-01T08:00:30"), keyIsWeak: true });
    expect(await readOnly(dump([job({ Submit: "Unknown", Eligible: "Unknown" })]))).toMatchObject({
      submitAt: at("2026-11-01T08:01:00"),
      keyIsWeak: true,
    });
    expect(await reasonFor({ Submit: "", Eligible: "", Start: "Unknown", ElapsedRaw: "0" })).toContain(
      "neither Submit nor Eligible nor Start",
    );
  });

  it("without a raw id has the display id as its key, weak for array tasks only", async () => {
    const columns = without("JobIDRaw");
    expect(await readOnly(dump([job()], { columns }))).toMatchObject({ rawJobId: "7", keyIsWeak: false });
    expect(await readOnly(dump([job({ JobID: "7_3" })], { columns }))).toMatchObject({
      rawJobId: "7_3",
      jobId: "7_3",
      keyIsWeak: true,
    });
  });

  it("may be an array task, a waiting range of tasks or a heterogeneous component", async () => {
    for (const JobID of ["918260_4", "918260_[5-9%2]", "918260_[1-3,7...]", "77+1"]) {
      expect(await readOnly(dump([job({ JobIDRaw: "918271", JobID })]))).toMatchObject({
        rawJobId: "918271",
        jobId: JobID,
      });
    }
  });

  it("takes ElapsedRaw, else Elapsed, else what lies between start and end", async () => {
    expect(await readOnly(dump([job({ ElapsedRaw: "500" })]))).toMatchObject({ elapsedSeconds: 500 });
    expect(await readOnly(dump([job({ ElapsedRaw: "", Elapsed: "00:08:20" })]))).toMatchObject({ elapsedSeconds: 500 });
    expect(await readOnly(dump([job({ ElapsedRaw: "", Elapsed: "" })]))).toMatchObject({ elapsedSeconds: 600 });
  });

  it("computes an end that is missing from start and elapsed", async () => {
    expect(await readOnly(dump([job({ End: "Unknown" })]))).toMatchObject({
      phase: "finished",
      endAt: at("2026-11-01T08:11:00"),
    });
  });

  it("that waits or runs is active and has no end", async () => {
    expect(await readOnly(dump([job({ State: "RUNNING", End: "Unknown", ElapsedRaw: "90" })]))).toMatchObject({
      phase: "active",
      endAt: null,
      elapsedSeconds: 90,
      allocCpus: 4,
    });
    expect(
      await readOnly(
        dump([job({ State: "PENDING", Start: "Unknown", End: "Unknown", ElapsedRaw: "0", AllocTRES: "" })]),
      ),
    ).toMatchObject({
      phase: "active",
      startAt: null,
      endAt: null,
      elapsedSeconds: 0,
      allocCpus: 0,
      allocMemMib: 0,
    });
  });

  it.each(["None", "Unknown"])(
    "of a job that was cancelled before it started (%s) costs nothing and is no error",
    async (Start) => {
      const changes = {
        State: "CANCELLED by 1002",
        Start,
        ElapsedRaw: "0",
        Elapsed: "00:00:00",
        AllocTRES: "",
        CPUTimeRAW: "0",
      };
      expect(await readOnly(dump([job(changes)]))).toMatchObject({
        phase: "finished",
        state: "CANCELLED",
        startAt: null,
        endAt: at("2026-11-01T08:11:00"),
        elapsedSeconds: 0,
        allocCpus: 0,
        allocMemMib: 0,
        usedCpuMs: null,
      });
    },
  );

  it("may have started and run for no time at all", async () => {
    const changes = {
      State: "CANCELLED by 0",
      Start: "2026-11-01T08:11:00",
      ElapsedRaw: "0",
      AllocTRES: "",
      AllocCPUS: "0",
      NCPUS: "0",
    };
    expect(await readOnly(dump([job(changes)]))).toMatchObject({
      elapsedSeconds: 0,
      allocCpus: 0,
      startAt: at("2026-11-01T08:11:00"),
    });
  });

  it("with an unknown state is kept, flagged and not finished", async () => {
    expect(await readOnly(dump([job({ State: "EVAPORATED" })]))).toMatchObject({
      phase: "unknown",
      state: "EVAPORATED",
      endAt: at("2026-11-01T08:11:00"),
    });
  });

  it("without AllocTRES counts what sacct's other columns say was allocated", async () => {
    const noTres = { AllocTRES: "", NNodes: "2" };
    expect(await readOnly(dump([job({ ...noTres, ReqMem: "8G" })]))).toMatchObject({
      allocCpus: 4,
      allocNodes: 2,
      allocMemMib: 8192,
      allocGpus: 0,
    });
    expect(await readOnly(dump([job({ ...noTres, ReqMem: "2Gn" })]))).toMatchObject({ allocMemMib: 4096 });
    expect(await readOnly(dump([job({ ...noTres, ReqMem: "2Gc" })]))).toMatchObject({ allocMemMib: 8192 });
  });

  it("never fails on a value that only enriches", async () => {
    const changes = {
      ExitCode: "??",
      TotalCPU: "INVALID",
      CPUTimeRAW: "x",
      ReqMem: "lots",
      NNodes: "-",
      ConsumedEnergyRaw: "18446744073709551614",
      Eligible: "soon",
      NodeList: "None assigned",
    };
    expect(await readOnly(dump([job(changes)]))).toMatchObject({
      exitCode: "??",
      usedCpuMs: null,
      energyJoules: 0n,
      allocMemMib: 8192,
    });
  });

  it.each<[string, Fields, string]>([
    ["negative elapsed time", { ElapsedRaw: "-5" }, 'ElapsedRaw "-5" is negative'],
    ["an end before the start", { End: "2026-11-01T08:00:59" }, "it ends 1 s before it starts"],
    [
      "more elapsed than lies between start and end",
      { ElapsedRaw: "601" },
      "it ran for 601 s, but only 600 s lie between",
    ],
    ["a summer-time hour too many", { ElapsedRaw: "4200" }, "TZ=UTC"],
    [
      "no end and no elapsed time",
      { End: "Unknown", ElapsedRaw: "", Elapsed: "" },
      "neither an end nor an elapsed time",
    ],
    ["neither start nor end", { Start: "Unknown", End: "Unknown", ElapsedRaw: "0" }, "neither start nor end"],
    ["elapsed time without a start", { Start: "Unknown" }, "the job ran for 600 s, but has no start"],
    ["a start that is no time", { Start: "2026-02-30T00:00:00" }, 'Start "2026-02-30T00:00:00" is not a time'],
    ["an end that is no time", { End: "later" }, 'End "later" is not a time'],
    ["a submit time that is no time", { Submit: "x" }, 'Submit "x" is not a time'],
    ["an elapsed time that is no number", { ElapsedRaw: "ten" }, 'ElapsedRaw "ten" is not a number of seconds'],
    ["an invalid elapsed time", { ElapsedRaw: "", Elapsed: "INVALID" }, 'Elapsed "INVALID" is not a length of time'],
    ["TRES that cannot be read", { AllocTRES: "cpu=4,mem=8Q" }, '"mem=8Q"'],
    ["no user", { User: "" }, "User is empty"],
    ["no state", { State: "" }, "State is empty"],
    ["a bad id", { JobIDRaw: "abc" }, 'JobIDRaw "abc" is not a job id'],
    ["CPU counts that cannot be read", { AllocTRES: "", AllocCPUS: "four" }, '"four"'],
    ["no CPU count though it ran", { AllocTRES: "", AllocCPUS: "" }, "on how many CPUs"],
    ["ReqMem that cannot be read where it is needed", { AllocTRES: "", ReqMem: "lots" }, 'ReqMem: "lots"'],
  ])("is rejected for %s", async (_, changes, reason) => {
    expect(await reasonFor(changes)).toContain(reason);
  });

  it("is rejected with its line and text, together with its steps, and the others go on", async () => {
    const rows = [
      job({ JobIDRaw: "1" }),
      job({ JobIDRaw: "2", ElapsedRaw: "-1" }),
      step("2.batch"),
      step("2.0"),
      job({ JobIDRaw: "3" }),
      step("3.batch"),
    ];
    const { records, rejects, rowsRead } = await readWhole(dump(rows));
    expect(records.map((record) => record.rawJobId)).toEqual(["1", "3"]);
    expect(rowsRead).toBe(6);
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [3, 'ElapsedRaw "-1" is negative'],
      [4, "it is a step of job 2, whose row on line 3 was rejected"],
      [5, "it is a step of job 2, whose row on line 3 was rejected"],
    ]);
    expect(present(rejects[0]).text).toMatch(/^2\|2\|c1\|alice\|.*\|-1\|/u);
  });
});
