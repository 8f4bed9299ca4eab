import { describe, expect, it } from "vitest";
import { dump, job, present, readOnly, readWhole, step, without } from "./dump.ts";

describe("steps", () => {
  it("are rolled into their job: CPU, memory over time, energy", async () => {
    const rows = [
      job({ ConsumedEnergyRaw: "" }),
      step("7.batch", { TotalCPU: "00:03.909", AveRSS: "4644K", ElapsedRaw: "600", ConsumedEnergyRaw: "10" }),
      step("7.extern", { TotalCPU: "00:00.001", AveRSS: "", ElapsedRaw: "600", ConsumedEnergyRaw: "" }),
      step("7.0", { TotalCPU: "1-00:00:00", AveRSS: "3M", ElapsedRaw: "100", ConsumedEnergyRaw: "32" }),
      step("7.interactive", { TotalCPU: "INVALID", AveRSS: "?", ElapsedRaw: "x", ConsumedEnergyRaw: "?" }),
    ];
    expect(await readOnly(dump(rows))).toMatchObject({
      usedCpuMs: 3909n + 1n + 86_400_000n,
      usedMemKibSeconds: 4644n * 600n + 3072n * 100n,
      energyJoules: 42n,
    });
  });

  it("do not change the job's own submit time, energy or CPU count", async () => {
    const rows = [
      job({ ConsumedEnergyRaw: "77" }),
      step("7.batch", { Submit: "2026-11-01T08:01:00", ConsumedEnergyRaw: "5", AllocTRES: "cpu=99" }),
    ];
    expect(await readOnly(dump(rows))).toMatchObject({
      submitAt: Date.parse("2026-11-01T08:00:00Z") / 1000,
      energyJoules: 77n,
      allocCpus: 4,
    });
  });

  it("that used nothing leave CPUTimeRAW, and without that nothing, and no measured memory", async () => {
    const idle = step("7.batch", { TotalCPU: "00:00:00", AveRSS: "0" });
    expect(await readOnly(dump([job(), idle]))).toMatchObject({ usedCpuMs: 2_400_000n, usedMemKibSeconds: null });
    expect(await readOnly(dump([job({ CPUTimeRAW: "" }), idle]))).toMatchObject({ usedCpuMs: null });
    expect(await readOnly(dump([job({ TotalCPU: "00:59.000" }), idle]))).toMatchObject({ usedCpuMs: 2_400_000n });
  });

  it("when none are listed, the job's own TotalCPU is the sum that Slurm made of them", async () => {
    expect(await readOnly(dump([job({ TotalCPU: "00:59.000" })]))).toMatchObject({ usedCpuMs: 59_000n });
  });

  it("of array tasks and heterogeneous components find their job by raw id, or by display id where there is none", async () => {
    const rows = [
      job({ JobIDRaw: "15", JobID: "3_0" }),
      step("15.batch", { JobID: "3_0.batch" }),
      job({ JobIDRaw: "101", JobID: "100+1" }),
      step("101.0", { JobID: "100+1.0" }),
    ];
    for (const columns of [without(), without("JobIDRaw"), without("JobID")]) {
      const { records, rejects } = await readWhole(dump(rows, { columns }));
      expect(rejects).toEqual([]);
      expect(records.map((record) => record.usedCpuMs)).toEqual([60_000n, 60_000n]);
    }
  });

  it("are added exactly beyond what a double can hold", async () => {
    const rows = [job({ ElapsedRaw: "", Elapsed: "", End: "2026-12-31T00:00:00" })];
    for (let index = 0; index < 3; index++)
      rows.push(step(`7.${index}`, { AveRSS: "3221225471K", ElapsedRaw: "2000001" }));
    expect(await readOnly(dump(rows))).toMatchObject({ usedMemKibSeconds: 3n * 3_221_225_471n * 2_000_001n });
  });

  it("of a requeued job go to the run during which they started, even behind the other run's row", async () => {
    const runs = [
      job({ State: "REQUEUED" }),
      job({ Submit: "2026-11-01T08:11:01", Start: "2026-11-01T09:00:00", End: "2026-11-01T09:10:00" }),
    ];
    const first = step("7.batch", { Start: "2026-11-01T08:01:00", TotalCPU: "00:01.000" });
    const second = step("7.batch", { Start: "2026-11-01T09:00:00", TotalCPU: "00:02.000" });
    for (const rows of [
      [runs[0], first, runs[1], second],
      [...runs, first, second],
      [first, second, ...runs],
    ]) {
      const { records, rejects } = await readWhole(dump(rows.map(present)));
      expect(rejects).toEqual([]);
      expect(records.map((record) => record.usedCpuMs)).toEqual([1000n, 2000n]);
    }
  });

  it("may stand anywhere in the batch of their job", async () => {
    const rows = [
      step("2.0"),
      job({ JobIDRaw: "1" }),
      job({ JobIDRaw: "2" }),
      job({ JobIDRaw: "3" }),
      step("1.batch"),
      step("3.batch"),
      step("1.0"),
    ];
    const { records, rejects, rowsRead } = await readWhole(dump(rows));
    expect(rejects).toEqual([]);
    expect(rowsRead).toBe(7);
    expect(records.map((record) => record.usedCpuMs)).toEqual([120_000n, 60_000n, 60_000n]);
  });

  it("without a job in reach are rejected, with their line", async () => {
    const rows = [job(), step("9.batch"), step("8.0")];
    const { records, rejects, rowsRead } = await readWhole(dump(rows));
    expect(records).toHaveLength(1);
    expect(rowsRead).toBe(3);
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [3, "it is a step of job 9, which has no row near it"],
      [4, "it is a step of job 8, which has no row near it"],
    ]);
  });

  it("elsewhere in the batch that started while their job did not run are rejected", async () => {
    const { rejects } = await readWhole(
      dump([job(), job({ JobIDRaw: "8" }), step("7.0", { Start: "2026-12-01T00:00:00" })]),
    );
    expect(rejects.map(({ reason }) => reason)).toEqual([
      "it is a step of job 7, but did not start while that job ran",
    ]);
  });

  it("are counted once when a row is repeated, and rejected when the repetition differs", async () => {
    expect(await readOnly(dump([job(), step("7.0"), step("7.0")]))).toMatchObject({ usedCpuMs: 60_000n });
    const many = Array.from({ length: 40 }, (_, index) => step(`7.${index}`));
    expect(await readOnly(dump([job(), ...many]))).toMatchObject({ usedCpuMs: 40n * 60_000n });
    const { records, rejects } = await readWhole(dump([job(), ...many, step("7.35", { TotalCPU: "02:00.000" })]));
    expect(present(records[0]).usedCpuMs).toBe(40n * 60_000n);
    expect(rejects.map(({ reason }) => reason)).toEqual([
      "this step of the job is listed twice with different values; the first was counted",
    ]);
  });

  it("with a bad name are rejected", async () => {
    const { rejects } = await readWhole(dump([job(), step("7.ba tch"), step("x.0"), step("7.")]));
    expect(rejects.map(({ reason }) => reason)).toEqual(
      ['"7.ba tch"', '"x.0"', '"7."'].map((id) => `${id} is not the id of a job or a step`),
    );
  });
});

describe("batches", () => {
  it("hold as many jobs as asked for, each job with its steps, and count every row once", async () => {
    const rows = Array.from({ length: 25 }, (_, index) => [
      job({ JobIDRaw: String(index + 1) }),
      step(`${index + 1}.batch`),
    ]).flat();
    const { records, rowsRead, batches } = await readWhole(dump(rows), { jobsPerBatch: 10 });
    expect([records.length, rowsRead, batches]).toEqual([25, 50, 3]);
    expect(records.every((record) => record.usedCpuMs === 60_000n)).toBe(true);
  });

  it("stay bounded when nothing but rejects and stray steps comes", async () => {
    const rows = [job(), ...Array.from({ length: 10_000 }, (_, index) => step(`${1000 + index}.0`)), step("7.batch")];
    const { records, rejects, rowsRead, batches } = await readWhole(dump(rows));
    expect([records.length, rejects.length, rowsRead]).toEqual([1, 10_000, 10_002]);
    expect(present(records[0]).usedCpuMs).toBe(60_000n);
    expect(batches).toBeGreaterThan(2);
  });
});
