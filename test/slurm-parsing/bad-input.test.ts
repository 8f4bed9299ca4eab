import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { messageOf, UserError } from "../../src/errors.ts";
import { openDump } from "../../src/slurm/input.ts";
import { COLUMNS, dump, inPieces, job, present, readOnly, readWhole, step, without } from "./dump.ts";

/** What reading fails with, and what was read before. */
async function failureOf(input: string | Uint8Array, options: Parameters<typeof readWhole>[1] = {}) {
  const errors: unknown[] = [];
  const before = await readWhole(input, { ...options, onError: (error) => errors.push(error) });
  const error = errors[0];
  expect(error).toBeInstanceOf(UserError);
  return { before, message: messageOf(error) };
}

const jobs = (count: number) =>
  Array.from({ length: count }, (_, index) => [
    job({ JobIDRaw: String(index + 1), JobName: `name ${(index * 7919) % 1013}` }),
    step(`${index + 1}.batch`),
  ]).flat();

describe("a header", () => {
  it("may have its columns in any case, a byte order mark, CR LF, and the trailing | of sacct --parsable", async () => {
    const lines = dump([job({ Comment: "ok" }), step("7.batch")])
      .trimEnd()
      .split("\n")
      .map((line) => `${line}|`);
    const text = `\uFEFF${[lines[0]?.toUpperCase(), ...lines.slice(1)].join("\r\n")}\r\n`;
    expect(await readOnly(text)).toMatchObject({ comment: "ok", usedCpuMs: 60_000n });
  });

  it("that lacks columns is refused with the names of all of them", async () => {
    const { message } = await failureOf(
      dump([job()], { columns: without("User", "JobID", "JobIDRaw", "AllocTRES", "AllocCPUS") }),
    );
    expect(message).toContain("Missing: JobIDRaw or JobID; User; AllocTRES or AllocCPUS or NCPUS.");
    expect(message).toContain("A dump needs");
  });

  it("that names a column twice is refused", async () => {
    const { message } = await failureOf(dump([job()], { columns: [...COLUMNS, "User", "state"] }));
    expect(message).toContain('"User", "state" more than once');
  });

  it("that is missing is called so", async () => {
    const { message } = await failureOf("1|1|c1|alice|physics\n2|2|c1|bob|physics\n");
    expect(message).toContain("The first line is not a header");
  });

  it.each([
    [";", 'separated by ";"'],
    ["\t", "separated by tabs"],
    [" ", "without --parsable2"],
  ])("separated by %j is refused, naming what was found and what is accepted", async (delimiter, found) => {
    const { message } = await failureOf(dump([job()], { delimiter }));
    expect(message).toContain(found);
    expect(message).toContain("sacct --parsable2");
    expect(message).toContain("CSV");
  });

  it("must fit the format that was asked for", async () => {
    expect((await failureOf(dump([job()]), { format: "csv" })).message).toContain(
      'separated by "|", but the format csv',
    );
    expect((await failureOf("User,State,Start,End,AllocCPUS,JobID\n", { format: "sacct" })).message).toContain(
      'separated by ",", but the format sacct',
    );
  });

  it("alone is a dump without jobs", async () => {
    for (const text of [dump([]), dump([]).trimEnd()])
      expect(await readWhole(text)).toMatchObject({ records: [], rejects: [], rowsRead: 0 });
  });

  it("that is repeated, as in files put behind each other, is no row", async () => {
    const text = dump([job({ JobIDRaw: "1" })]) + dump([job({ JobIDRaw: "2" })]);
    expect(await readWhole(text)).toMatchObject({
      records: [{ rawJobId: "1" }, { rawJobId: "2" }],
      rejects: [],
      rowsRead: 2,
    });
  });
});

describe("a file that is no dump", () => {
  it("because it is empty is refused", async () => {
    expect((await failureOf("")).message).toBe("The file is empty; it needs at least a header line.");
    expect((await failureOf(gzipSync(""))).message).toContain("empty");
    expect((await failureOf("\n\n")).message).toContain("first line is empty");
  });

  it.each([
    ["a zip archive", "PK\u0003\u0004xxxx"],
    ["bzip2", "BZh9xxxx"],
    ["not plain text", "a\0b|c\n"],
    ["no header", `${"x".repeat(2_000_000)}\n`],
  ])("because it is %s is refused", async (what, text) => {
    expect((await failureOf(text)).message).toContain(what);
  });

  it("because it is UTF-16 is refused", async () => {
    expect((await failureOf(Buffer.from(`\uFEFF${dump([job()])}`, "utf16le"))).message).toContain("UTF-16");
  });

  it("or is not there is refused with its name", async () => {
    await expect(openDump("/nowhere/dump.psv")).rejects.toThrow("Cannot open /nowhere/dump.psv");
    await expect(openDump(tmpdir())).rejects.toThrow("is a folder");
  });
});

describe("gzip", () => {
  const text = dump(jobs(3000));

  it("is known by its first bytes, wherever the pieces end", async () => {
    const zipped = gzipSync(text);
    for (const pieceBytes of [1000, 65_536, 1_000_000]) {
      const { records, rejects, bytesRead } = await readWhole(inPieces(zipped, pieceBytes));
      expect([records.length, rejects.length, bytesRead]).toEqual([3000, 0, zipped.length]);
    }
    expect((await readWhole(inPieces(gzipSync(dump(jobs(2))), 1))).records).toHaveLength(2);
  });

  it("may be several files behind each other", async () => {
    const { records } = await readWhole(
      Buffer.concat([gzipSync(dump(jobs(2))), gzipSync(dump([job({ JobIDRaw: "99" })]))]),
    );
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1", "2", "99"]);
  });

  it("that ends early yields the complete jobs before the cut, then says so", async () => {
    const whole = await readWhole(text);
    const zipped = gzipSync(text);
    for (const share of [0.2, 0.5, 0.99]) {
      const { before, message } = await failureOf(zipped.subarray(0, Math.floor(zipped.length * share)));
      expect(message).toContain("ends early");
      expect(before.records.length).toBeGreaterThan(3000 * share * 0.5);
      expect(before.records).toEqual(whole.records.slice(0, before.records.length));
      expect(before.rejects).toEqual([]);
    }
    const withoutChecksum = await failureOf(zipped.subarray(0, zipped.length - 4));
    expect(withoutChecksum.before.records).toEqual(whole.records.slice(0, -1));
    expect((await failureOf(zipped.subarray(0, 30))).message).toContain("ends early");
  });

  it("that is damaged yields what came before, then says so", async () => {
    const zipped = gzipSync(text);
    zipped.fill(0xff, Math.floor(zipped.length / 2), Math.floor(zipped.length / 2) + 64);
    const { before, message } = await failureOf(zipped);
    expect(message).toContain("damaged");
    expect(before.records.length).toBeLessThan(3000);
  });

  it("is read from a file, too, with its size for the progress", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dump-"));
    try {
      const path = join(folder, "dump.psv.gz");
      await writeFile(path, gzipSync(text));
      const input = await openDump(path);
      const { records, bytesRead } = await readWhole(input.bytes);
      expect([records.length, bytesRead]).toEqual([3000, input.sizeBytes]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a plain file that was cut", () => {
  const text = dump([job({ JobIDRaw: "1" }), step("1.batch"), job({ JobIDRaw: "2" }), step("2.batch")]);

  it("in a step rejects that row and its job, whose steps may be missing", async () => {
    const { records, rejects } = await readWhole(text.slice(0, -60));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1"]);
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [4, "the file ends in the middle of a row behind this job, so that steps of it may be missing"],
      [5, "the file ends in the middle of this row"],
    ]);
    expect(present(rejects[0]).text).toMatch(/^2\|2\|/u);
  });

  it("in a job's row rejects that row alone", async () => {
    const cut = text.indexOf("\n2|2|") + 50;
    const { records, rejects } = await readWhole(text.slice(0, cut));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1"]);
    expect(rejects.map(({ line }) => line)).toEqual([4]);
  });

  it("only of its last line break is complete", async () => {
    expect(await readWhole(text.trimEnd())).toMatchObject({
      records: [{ rawJobId: "1" }, { rawJobId: "2" }],
      rejects: [],
    });
  });
});

describe("rows that are hostile", () => {
  it("of ten megabytes are skipped in constant memory and rejected, and the next is read", async () => {
    const [header, row, other] = dump([job({ JobIDRaw: "1" }), job({ JobIDRaw: "2" })]).split("\n");
    const long = `3|3|c1|${"x|".repeat(5_000_000)}`;
    const { records, rejects, rowsRead } = await readWhole([header, row, long, other, ""].join("\n"));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1", "2"]);
    expect(rowsRead).toBe(3);
    expect(rejects).toEqual([{ line: 3, reason: "the line is longer than 1048576 bytes", text: long.slice(0, 4096) }]);
  });

  it("of ten megabytes in one CSV field are rejected, too", async () => {
    const columns = ["JobID", "User", "State", "Start", "End", "AllocCPUS", "Comment"];
    const [header, row, other] = dump([job({ JobID: "1" }), job({ JobID: "2" })], { columns, delimiter: "," }).split(
      "\n",
    );
    const { records, rejects } = await readWhole([header, row, `3,"${"x,".repeat(5_000_000)}`, other, ""].join("\n"));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1", "2"]);
    expect(rejects.map(({ line, reason, text }) => [line, reason, text.length])).toEqual([
      [3, "the line is longer than 1048576 bytes", 4096],
    ]);
  });

  it("with what cannot be true are rejected, so that one damaged record keeps no other out", async () => {
    const { records, rejects } = await readWhole(
      dump([
        job({ AllocTRES: "cpu=999999999999999,mem=1G,node=1", End: "2036-10-01T00:00:00", ElapsedRaw: "312000000" }),
        job({ End: "Unknown", ElapsedRaw: "999999999999999" }),
        job({ Account: "a".repeat(256) }),
        job({ JobIDRaw: "8" }),
      ]),
    );
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["8"]);
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("are more than can be true"),
      "it ran for 999999999999999 s, which is more than can be true",
      "account is longer than 255 characters",
    ]);
  });

  it("never let a zero byte through: in text it is replaced, in a typed column the row is rejected", async () => {
    expect(await readOnly(dump([job({ JobName: "a\0b", Comment: "\0" })]))).toMatchObject({
      jobName: "a\uFFFDb",
      comment: "\uFFFD",
    });
    const { records, rejects } = await readWhole(
      dump([job({ User: "al\0ice" }), job({ ElapsedRaw: "6\x0000" }), job({ Account: "\0" })]),
    );
    expect(records).toEqual([]);
    expect(rejects.map(({ reason }) => reason)).toEqual(
      ["user", "elapsedraw", "account"].map((name) => `the column ${name} holds a zero byte`),
    );
    expect(rejects.some(({ text }) => text.includes("\0"))).toBe(false);
  });

  it("with bytes that are not UTF-8 are read with replacements", async () => {
    const bytes = Buffer.from(dump([job({ JobName: "caf#", Comment: "ไทย" })]));
    bytes[bytes.indexOf("#")] = 0xe9;
    const { records } = await readWhole(bytes);
    expect(records.map(({ jobName, comment }) => [jobName, comment])).toEqual([["caf\uFFFD", "ไทย"]]);
  });

  it("that stand there twice are one job with the same values twice, its steps counted once", async () => {
    const rows = [job(), job(), step("7.batch"), step("7.batch"), job({ JobIDRaw: "8" })];
    const { records, rejects } = await readWhole(dump(rows));
    expect(rejects).toEqual([]);
    expect(records.map(({ rawJobId, usedCpuMs }) => [rawJobId, usedCpuMs])).toEqual([
      ["7", 60_000n],
      ["7", 60_000n],
      ["8", 2_400_000n],
    ]);
  });

  it("with thousands of separators are rejected quickly", async () => {
    const { rejects } = await readWhole(
      dump([job({ Comment: "|".repeat(100_000) }), job({ JobName: "|".repeat(190), Comment: "|".repeat(9) })]),
    );
    expect(rejects.map(({ reason }) => reason.replace(/\d+/u, "N"))).toEqual([
      `has N fields, the header has ${COLUMNS.length}`,
    ]);
  });
});
