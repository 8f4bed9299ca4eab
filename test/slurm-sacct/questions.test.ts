import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UserError } from "../../src/errors.ts";
import { sacctSource } from "../../src/slurm/sacct/sacct-source.ts";
import { FakeSlurm, HEADER, jobRow, readAll } from "./fake-slurm.ts";

const CAPTURED = readFileSync(join(import.meta.dirname, "../data/slurm-22.05/sacct.psv"), "utf8");
const COLUMNS =
  "JobIDRaw,JobID,Cluster,User,Account,Partition,QOS,State,ExitCode,Submit,Eligible,Start,End,ElapsedRaw,TotalCPU," +
  "CPUTimeRAW,AllocCPUS,NNodes,ReqMem,AllocTRES,AveRSS,ConsumedEnergyRaw,NodeList,JobName,Comment";
const FIXED = ["--allusers", "--duplicates", "--parsable2", "--delimiter=\u001f", `--format=${COLUMNS}`];
const OPTIONS = { signal: new AbortController().signal, jobsPerBatch: 100 };
const OCTOBER = { from: Date.UTC(2026, 9, 1) / 1_000, to: Date.UTC(2026, 10, 1) / 1_000 };

let slurm: FakeSlurm;
beforeEach(() => {
  slurm = new FakeSlurm();
});
afterEach(() => {
  slurm.remove();
  vi.unstubAllEnvs();
});

describe("what sacct is asked", () => {
  test("all runs of all users of one cluster in a window, in UTC", async () => {
    slurm.prints("sacct", CAPTURED);
    const { records, error } = await readAll(sacctSource(slurm.options()).jobs(OCTOBER, OPTIONS));
    expect(error).toBeNull();
    expect(records).toHaveLength(18);
    expect(records.filter(({ rawJobId }) => rawJobId === "14").map(({ state }) => state)).toEqual([
      "REQUEUED",
      "COMPLETED",
    ]);
    expect(slurm.calls("sacct").map(({ args }) => args)).toEqual([
      [...FIXED, "--clusters=testbed", "--starttime=2026-10-01T00:00:00", "--endtime=2026-11-01T00:00:00"],
    ]);
  });

  test("the local cluster when none is named, and no end when the window is open", async () => {
    slurm.prints("sacct", HEADER);
    const source = sacctSource(slurm.options({ cluster: null }));
    expect(await readAll(source.jobs({ ...OCTOBER, to: null }, OPTIONS))).toEqual({ records: [], error: null });
    expect(slurm.calls("sacct")[0]?.args).toEqual([...FIXED, "--local", "--starttime=2026-10-01T00:00:00"]);
  });

  test("with nothing of our environment but the path", async () => {
    const slurmConf = join(slurm.folder, "slurm.conf");
    writeFileSync(slurmConf, "ClusterName=testbed\n");
    vi.stubEnv("SLURM_TIME_FORMAT", "relative");
    vi.stubEnv("SACCT_FORMAT", "User");
    vi.stubEnv("SLURM_CONF", "/of/another/cluster");
    vi.stubEnv("DATABASE_URL", "postgres://secret");
    vi.stubEnv("TZ", "Asia/Bangkok");
    slurm.prints("sacct", HEADER + jobRow("1"));
    await readAll(sacctSource(slurm.options({ slurmConf })).jobs(OCTOBER, OPTIONS));
    expect(slurm.calls("sacct")[0]?.env).toEqual({
      PATH: process.env["PATH"],
      TZ: "UTC",
      LC_ALL: "C.UTF-8",
      SLURM_CONF: slurmConf,
    });
  });

  test.each(["", "-a", "x;id", "$(id)", "a b", "a,b", "a\n"])("never about a cluster named %j", (cluster) => {
    expect(() => sacctSource(slurm.options({ cluster }))).toThrow(UserError);
  });
});

describe("jobs by id", () => {
  test("are asked for in portions, and only those come back, each once", async () => {
    // As the real one does, it answers with the tasks of an array whose first id is asked for.
    slurm.program(
      "sacct",
      `const ids = args.at(-1).replace("--jobs=", "").split(",");
       const row = (id) => ${JSON.stringify(jobRow("ID"))}.replaceAll("ID", id);
       fs.writeSync(1, ${JSON.stringify(HEADER)} + ids.map((id) => row(id) + row("9" + id)).join(""));`,
    );
    const ids = Array.from({ length: 450 }, (_, at) => String(at + 1));
    const { records, error } = await readAll(
      sacctSource(slurm.options()).jobsById([...ids, "7", "918260_4", ";"], OPTIONS),
    );
    expect(error).toBeNull();
    expect(new Set(records.map(({ rawJobId }) => rawJobId))).toEqual(new Set(ids));
    const asked = slurm.calls("sacct").map(({ args }) => args.at(-1)?.replace("--jobs=", "").split(",") ?? []);
    expect(asked.map((portion) => portion.length)).toEqual([200, 200, 50]);
    expect(asked.flat()).toEqual(ids);
  });

  test("reach back to the beginning, so that no run is too old", async () => {
    slurm.prints("sacct", HEADER + jobRow("7"));
    await readAll(sacctSource(slurm.options()).jobsById(["7"], OPTIONS));
    expect(slurm.calls("sacct")[0]?.args.slice(-2)).toEqual(["--starttime=1970-01-02T00:00:00", "--jobs=7"]);
  });

  test("are not asked for when there are none", async () => {
    expect(await readAll(sacctSource(slurm.options({ cluster: null })).jobsById(["3_1"], OPTIONS))).toEqual({
      records: [],
      error: null,
    });
  });
});

describe("a cluster that accounting does not know", () => {
  test("is an error, although sacct prints no job and exits with 0", async () => {
    slurm.prints("sacct", HEADER).prints("sacctmgr", "alpha\nbeta\n");
    const source = sacctSource(slurm.options());
    const message = "Accounting knows no cluster testbed; it knows alpha, beta.";
    expect((await readAll(source.jobs(OCTOBER, OPTIONS))).error).toMatchObject({ name: "UpstreamError", message });
    expect((await readAll(source.jobsById(["1"], OPTIONS))).error).toMatchObject({ name: "UpstreamError", message });
  });

  test("is told from a known one without a job", async () => {
    slurm.prints("sacct", HEADER).prints("sacctmgr", "alpha\ntestbed\n");
    expect(await readAll(sacctSource(slurm.options()).jobs(OCTOBER, OPTIONS))).toEqual({ records: [], error: null });
  });
});

describe("the probe", () => {
  const VERSION_OR = `if (args[0] === "--version") fs.writeSync(1, "slurm-wlm 22.05.8\\n"); else `;

  test("names the version and asks for no more than a second of all columns", async () => {
    slurm.program("sacct", `${VERSION_OR}fs.writeSync(1, ${JSON.stringify(HEADER)});`).prints("sacctmgr", "testbed\n");
    const probe = await sacctSource(slurm.options()).probe(OPTIONS.signal);
    expect(probe).toEqual({ version: "sacct of Slurm 22.05.8", limits: [] });
    const window = ["--starttime=1970-01-02T00:00:00", "--endtime=1970-01-02T00:00:01"];
    expect(slurm.calls("sacct")[1]?.args).toEqual([...FIXED, "--clusters=testbed", ...window, "--allocations"]);
  });

  test("fails when the program runs but slurmdbd does not answer", async () => {
    slurm.program("sacct", `${VERSION_OR}{ fs.writeSync(2, "sacct: error: Connection refused\\n"); process.exit(1); }`);
    await expect(sacctSource(slurm.options()).probe(OPTIONS.signal)).rejects.toThrow(
      /asked for jobs, ended with exit code 1\. sacct: error: Connection refused/u,
    );
  });

  test("fails for a program that is not sacct", async () => {
    slurm.prints("sacct", "GNU hello, world\n");
    await expect(sacctSource(slurm.options()).probe(OPTIONS.signal)).rejects.toThrow(/is not Slurm's sacct/u);
  });
});
