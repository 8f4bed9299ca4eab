import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDump } from "../../src/slurm/input.ts";
import { readWhole } from "./dump.ts";

const SAMPLE = join(import.meta.dirname, "../data/slurm-22.05/sacct.psv");

/** Worked out by hand from the file: raw id, user, CPU-seconds, GPU-seconds, MiB-seconds, used CPU in ms. */
const EXPECTED = [
  ["1", "alice", 4 * 4, 0, 2048 * 4, 3909n],
  ["2", "alice", 8 * 6, 0, 4096 * 6, 24n + 15n + 8n],
  ["4", "somchai", 1 * 2, 0, 500 * 2, 2n],
  ["5", "carol", 8 * 5, 2 * 5, 8192 * 5, 2n],
  ["6", "carol", 4 * 3, 1 * 3, 4096 * 3, 2n],
  ["7", "dan", 4 * 3, 2 * 3, 4096 * 3, 2n],
  ["8", "dan", 2 * 1, 0, 1024 * 1, 2n],
  ["9", "erin", 64 * 2, 6 * 2, 250_000 * 2, 3n],
  ["10", "erin", 2 * 3, 0, 200 * 3, 259n],
  ["11", "erin", 1 * 75, 0, 500 * 75, 2n],
  ["12", "bob", 2 * 5, 0, 1024 * 5, 2n],
  ["14", "alice", 2 * 2, 0, 1024 * 2, 2n],
  ["15", "bob", 2 * 1, 0, 1024 * 1, 2n],
  ["16", "bob", 2 * 2, 0, 1024 * 2, 2n],
  ["17", "bob", 2 * 3, 0, 1024 * 3, 2n],
  ["18", "bob", 2 * 4, 0, 1024 * 4, 3n],
  ["3", "bob", 2 * 5, 0, 1024 * 5, 2n],
  ["14", "alice", 2 * 6, 0, 1024 * 6, 3n],
] as const;

async function readSample() {
  const input = await openDump(SAMPLE);
  return { ...(await readWhole(input.bytes)), sizeBytes: input.sizeBytes };
}

describe("a dump of a real Slurm 22.05 cluster", () => {
  it("has 18 jobs and 20 steps, and no row is rejected", async () => {
    const { records, rejects, rowsRead, bytesRead, sizeBytes } = await readSample();
    expect(rejects).toEqual([]);
    expect(records).toHaveLength(18);
    expect(rowsRead).toBe(18 + 20);
    expect(bytesRead).toBe(sizeBytes);
  });

  it("gives each job's usage to the second", async () => {
    const { records } = await readSample();
    const usage = records.map((job) => [
      job.rawJobId,
      job.user,
      job.allocCpus * job.elapsedSeconds,
      job.allocGpus * job.elapsedSeconds,
      job.allocMemMib * job.elapsedSeconds,
      job.usedCpuMs,
    ]);
    expect(usage).toEqual(EXPECTED);
    const total = (column: 2 | 3 | 4): number => EXPECTED.reduce((sum, row) => sum + row[column], 0);
    expect([total(2), total(3), total(4)]).toEqual([397, 31, 667_100]);
  });

  it("gives GPU-seconds by type: an exclusive job has every GPU of the node", async () => {
    const { records } = await readSample();
    const secondsByType = new Map<string, number>();
    for (const job of records) {
      for (const { type, count } of job.gpuTypes)
        secondsByType.set(type, (secondsByType.get(type) ?? 0) + count * job.elapsedSeconds);
    }
    expect(Object.fromEntries(secondsByType)).toEqual({ a100: 2 * 5 + 1 * 3 + 1 * 3 + 4 * 2, h100: 1 * 3 + 2 * 2 });
  });

  it("keeps both runs of a requeued job apart, each with its own steps", async () => {
    const { records } = await readSample();
    const runs = records.filter((job) => job.rawJobId === "14");
    expect(
      runs.map(({ state, submitAt, elapsedSeconds, usedMemKibSeconds }) => [
        state,
        submitAt,
        elapsedSeconds,
        usedMemKibSeconds,
      ]),
    ).toEqual([
      ["REQUEUED", Date.parse("2026-11-23T09:14:31Z") / 1000, 2, 3168n * 2n],
      ["COMPLETED", Date.parse("2026-11-23T09:14:48Z") / 1000, 6, 2972n * 6n],
    ]);
  });

  it("sums AveRSS times elapsed over all steps", async () => {
    const { records } = await readSample();
    expect(records[1]?.usedMemKibSeconds).toBe(10_560n * 6n + 1586n * 4n + 1614n * 2n);
  });

  it("reads Thai names, a comment with the separator and quotes, and array task ids", async () => {
    const { records } = await readSample();
    expect(records[2]).toMatchObject({ jobName: "ทดสอบ ภาษาไทย", comment: 'pipe | quote " ไทย' });
    expect(records.filter((job) => job.jobName === "array").map((job) => job.jobId)).toEqual([
      "3_0",
      "3_1",
      "3_2",
      "3_3",
      "3_4",
    ]);
  });

  it("reads CANCELLED by 0 as CANCELLED", async () => {
    const { records } = await readSample();
    expect(records[10]).toMatchObject({ state: "CANCELLED", phase: "finished", exitCode: "0:0" });
  });
});
