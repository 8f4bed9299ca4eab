import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CENTRE_CLUSTER } from "../../bench/generate-cluster.ts";
import { makeUpRuns } from "../../bench/generate-jobs.ts";
import { SeededRandom } from "../../bench/generate-random.ts";
import { HEADER, linesOf } from "../../bench/generate-rows.ts";
import { COLUMNS, dump, inPieces, job, readWhole, step, type Fields } from "./dump.ts";

const JOBS = 120;

function madeUp(seed: number): { text: string; runs: number } {
  const runs = [...makeUpRuns(CENTRE_CLUSTER, new SeededRandom(seed), JOBS)];
  return { text: HEADER + runs.map((run) => linesOf(run, CENTRE_CLUSTER)).join(""), runs: runs.length };
}

/** Rows in which everything that is hard about a dump occurs. */
const HARD_ROWS: readonly Fields[] = [
  job({ JobIDRaw: "1", JobName: "ทดสอบ | ไทย", Comment: "one\ntwo\r\nthree | four" }),
  step("1.batch"),
  step("1.0", { JobName: "a|b" }),
  job({ JobIDRaw: "2", ElapsedRaw: "-1" }),
  step("2.batch"),
  job({ JobIDRaw: "3", State: "RUNNING", End: "Unknown" }),
  step("4.0"),
  job({ JobIDRaw: "5", JobName: "x\0y" }),
  step("1.extern"),
];

const cutPoints = (bytes: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: bytes }), { maxLength: 12 });

async function* cutAt(bytes: Buffer, points: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const point of points.toSorted((left, right) => left - right)) {
    yield bytes.subarray(from, point);
    from = point;
  }
  yield bytes.subarray(from);
}

describe("any dump", () => {
  it("gives the same jobs and rejects, wherever the stream is cut into pieces", async () => {
    const text = `${dump(HARD_ROWS)}stray line\n3|cut`;
    for (const bytes of [Buffer.from(text), Buffer.from(text.replaceAll("\n", "\r\n")), Buffer.from(madeUp(7).text)]) {
      const { batches: _, ...whole } = await readWhole(bytes);
      expect(whole.records.length).toBeGreaterThan(0);
      await fc.assert(
        fc.asyncProperty(cutPoints(bytes.length), async (points) => {
          const { batches: __, ...pieces } = await readWhole(cutAt(bytes, points));
          expect(pieces).toEqual(whole);
        }),
        { numRuns: 60 },
      );
    }
    const bytes = Buffer.from(text);
    expect((await readWhole(inPieces(bytes, 1))).records).toEqual((await readWhole(bytes)).records);
  });

  it("gives the same jobs in any order of columns", async () => {
    const rows = HARD_ROWS.filter((row) => !/[|\n]/u.test(`${row["JobName"]}${row["Comment"]}`));
    const { records } = await readWhole(dump(rows));
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(COLUMNS, { minLength: COLUMNS.length }), async (columns) => {
        expect((await readWhole(dump(rows, { columns }))).records).toEqual(records);
      }),
    );
  });

  it("is accounted for completely: every row is a job, a step of one, or a reject", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const { text, runs } = madeUp(seed);
        const { records, rejects, rowsRead } = await readWhole(text);
        expect(rejects).toEqual([]);
        expect(records).toHaveLength(runs);
        expect(rowsRead).toBe(text.trimEnd().split("\n").length - 1);
      }),
      { numRuns: 25 },
    );
  });

  it("of random bytes behind a header never throws, and hands out no zero bytes", async () => {
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        fc.stringMatching(/^[0-9|.:\-T\n\0"]{0,80}$/u),
        fc.constantFrom(...dump(HARD_ROWS).split("\n")),
      ),
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.constantFrom("|", "\u001f", ","), async (rows, delimiter) => {
        const { records, rejects } = await readWhole(dump([], { delimiter }) + rows.join("\n"));
        const strings = [...records, ...rejects].flatMap((row) =>
          Object.values(row).filter((value) => typeof value === "string"),
        );
        expect(strings.some((value) => value.includes("\0"))).toBe(false);
        for (const record of records)
          expect(Number.isSafeInteger(record.elapsedSeconds) && record.elapsedSeconds >= 0).toBe(true);
      }),
    );
  });

  it("reads back free text with separators that nothing else could mean", async () => {
    const text = fc.stringMatching(/^[a-z |"'ก-ฮ]{0,30}$/u);
    await fc.assert(
      fc.asyncProperty(text, text, async (JobName, Comment) => {
        const { records, rejects } = await readWhole(dump([job({ JobName, Comment })]));
        expect(rejects).toEqual([]);
        expect(records.map((record) => [record.jobName, record.comment])).toEqual([[JobName, Comment]]);
      }),
    );
  });
});
