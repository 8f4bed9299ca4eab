import { describe, expect, it } from "vitest";
import { COLUMNS, dump, job, present, readOnly, readWhole, step } from "./dump.ts";

describe("text that holds the separator", () => {
  it.each(["a|b", "|", "a||b|", 'pipe | "quote" | ไทย', "x|COMPLETED|0:0"])(
    "in a job's name (%j) is put back together",
    async (JobName) => {
      expect(await readOnly(dump([job({ JobName })]))).toMatchObject({
        jobName: JobName,
        state: "COMPLETED",
        comment: "",
        allocCpus: 4,
      });
    },
  );

  it("in the comment and in the name at once is put back together", async () => {
    expect(await readOnly(dump([job({ JobName: "a|b", Comment: "c|d|e" })]))).toMatchObject({
      jobName: "a|b",
      comment: "c|d|e",
      user: "alice",
    });
  });

  it("in a step's name does not lose the step", async () => {
    expect(await readOnly(dump([job(), step("7.0", { JobName: "./a.out | tee log" })]))).toMatchObject({
      usedCpuMs: 60_000n,
    });
  });

  it("does not shift typed columns, wherever the text columns stand", async () => {
    const columns = ["Comment", ...COLUMNS.filter((name) => name !== "Comment")];
    expect(await readOnly(dump([job({ Comment: "1|2|alice" })], { columns }))).toMatchObject({
      comment: "1|2|alice",
      rawJobId: "7",
      user: "alice",
    });
    const between = ["JobIDRaw", "Comment", "User", "Account", "State", "Start", "End", "AllocTRES", "Submit"];
    expect(await readOnly(dump([job({ Comment: "for bob|x y" })], { columns: between }))).toMatchObject({
      comment: "for bob|x y",
      user: "alice",
    });
  });

  it("that could be read in two ways is rejected as ambiguous, and so are the steps", async () => {
    // "eve" may be the end of the name or the user: both are words.
    const columns = ["JobIDRaw", "JobName", "User", "Comment", "State", "Start", "End", "AllocTRES"];
    const { records, rejects } = await readWhole(
      dump([job({ JobName: "for|eve", Comment: "x" }), step("7.batch")], { columns }),
    );
    expect(records).toEqual([]);
    expect(rejects.map(({ reason }) => reason)).toEqual([
      "has 9 fields, the header has 8, and they can be joined in more than one way",
      "it is a step of job 7, whose row on line 2 was rejected",
    ]);
  });

  it("is never looked for where no text column is", async () => {
    const columns = ["JobIDRaw", "User", "State", "Start", "End", "AllocTRES"];
    const { rejects } = await readWhole(dump([job({ User: "al|ice" })], { columns }));
    expect(present(rejects[0]).reason).toContain("no free-text column");
  });

  it("is rejected when no way to join it fits", async () => {
    const { rejects } = await readWhole(dump([job({ ExitCode: "0|0" })]));
    expect(present(rejects[0]).reason).toContain("no way to join them gives valid columns");
  });

  it("cannot occur with the separator 0x1f", async () => {
    const text = dump([job({ JobName: "a|b,c;d", Comment: "e|f" })], { delimiter: "\u001f" });
    expect(await readOnly(text)).toMatchObject({ jobName: "a|b,c;d", comment: "e|f" });
  });
});

describe("text that holds line breaks", () => {
  it("in the last column is kept", async () => {
    const rows = [job({ JobIDRaw: "1", Comment: "first\nsecond\n\nfourth 12" }), job({ JobIDRaw: "2" })];
    const { records, rejects, rowsRead } = await readWhole(dump(rows));
    expect(rejects).toEqual([]);
    expect(rowsRead).toBe(2);
    expect(records.map(({ comment }) => comment)).toEqual(["first\nsecond\n\nfourth 12", ""]);
  });

  it("in the middle of the row is kept, with separators too, and later line numbers are right", async () => {
    const rows = [
      job({ JobIDRaw: "1", JobName: "one\ntwo | three\nfour" }),
      step("1.batch"),
      job({ JobIDRaw: "2", ElapsedRaw: "-1" }),
    ];
    const { records, rejects } = await readWhole(dump(rows));
    expect(records.map(({ jobName, usedCpuMs }) => [jobName, usedCpuMs])).toEqual([
      ["one\ntwo | three\nfour", 60_000n],
    ]);
    expect(rejects.map(({ line }) => line)).toEqual([6]);
  });

  it("does not swallow the rows behind a row that was cut", async () => {
    const [header, cut, ...rest] = dump([job({ JobIDRaw: "1" }), job({ JobIDRaw: "2" }), step("2.batch")]).split("\n");
    const { records, rejects } = await readWhole([header, cut?.slice(0, 40), ...rest].join("\n"));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["2"]);
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [2, `has 9 fields, the header has ${COLUMNS.length}`],
    ]);
  });

  it("is not made of lines that belong to nothing: each is rejected by itself", async () => {
    const [header, first, second] = dump([job({ JobIDRaw: "1" }), job({ JobIDRaw: "2" })]).split("\n");
    const text = [header, "sacct: error: slurmdbd", first, "garbage|line", "more garbage", "", second, ""].join("\n");
    const { records, rejects, rowsRead } = await readWhole(text);
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1", "2"]);
    expect(rejects.map(({ line, text: shown }) => [line, shown])).toEqual([
      [2, "sacct: error: slurmdbd"],
      [4, "garbage|line"],
      [5, "more garbage"],
    ]);
    expect(rowsRead).toBe(5);
  });

  it("is given up after a hundred lines, and what follows is read again", async () => {
    const [header, row, other] = dump([job({ JobIDRaw: "1" }), job({ JobIDRaw: "2" })]).split("\n");
    const text = [header, row?.slice(0, 60), ...Array.from({ length: 150 }, () => "text"), other, ""].join("\n");
    const { records, rejects } = await readWhole(text);
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["2"]);
    expect(rejects).toHaveLength(151);
  });
});

describe("CSV", () => {
  const quote = (field: string): string => (/[",\n\r]/u.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  const csv = (rows: Parameters<typeof dump>[0], newline = "\n"): string =>
    [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ""))]
      .map((line) => line.map(quote).join(",") + newline)
      .join("");

  it.each(["\n", "\r\n"])("may quote commas, quotes and line breaks (line end %j)", async (newline) => {
    const rows = [
      job({ JobIDRaw: "1", JobName: 'a,"b"\nc', Comment: '""' }),
      step("1.0"),
      job({ JobIDRaw: "2", Comment: "x" }),
    ];
    const { records, rejects, rowsRead } = await readWhole(csv(rows, newline));
    expect(rejects).toEqual([]);
    expect(rowsRead).toBe(3);
    expect(records.map(({ jobName, comment, usedCpuMs }) => [jobName, comment, usedCpuMs])).toEqual([
      ['a,"b"\nc', '""', 60_000n],
      ["run", "x", 2_400_000n],
    ]);
  });

  it("says what is wrong with a row and goes on with the next", async () => {
    const [header, good] = csv([job({ JobIDRaw: "1" })]).split("\n");
    const text = [header, good, "2,2,c1", '3,"a"b', '4,"never closed', good?.replace("1,1,", "5,5,"), ""].join("\n");
    const { records, rejects } = await readWhole(text);
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1", "5"]);
    expect(rejects.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(rejects.map(({ reason }) => reason.slice(0, 25))).toEqual([
      "has 3 fields, the header ",
      "a quoted field is followe",
      "a quoted field is followe",
    ]);
  });
});
