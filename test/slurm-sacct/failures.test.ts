import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UpstreamError } from "../../src/errors.ts";
import { sacctSource } from "../../src/slurm/sacct/sacct-source.ts";
import type { SacctOptions } from "../../src/slurm/sacct/tools.ts";
import { until } from "../support/until.ts";
import { FakeSlurm, HEADER, isAlive, jobRow, readAll, type Outcome } from "./fake-slurm.ts";

const WINDOW = { from: Date.UTC(2026, 9, 1) / 1_000, to: null };
const ROWS = HEADER + jobRow("1") + jobRow("2") + jobRow("3");
const PRINT_ROWS = `fs.writeSync(1, ${JSON.stringify(ROWS)});`;
const WAIT_FOREVER = "setInterval(() => undefined, 1000);";
const WRITE_PID = `fs.writeFileSync(here + "/pid.part", String(process.pid)); fs.renameSync(here + "/pid.part", here + "/pid");`;

let slurm: FakeSlurm;
beforeEach(() => {
  slurm = new FakeSlurm();
});
afterEach(() => {
  slurm.remove();
});

function read(changes: Partial<SacctOptions> = {}, signal = new AbortController().signal): Promise<Outcome> {
  return readAll(sacctSource(slurm.options(changes)).jobs(WINDOW, { signal, jobsPerBatch: 1 }));
}

function idsOf({ records }: Outcome): string[] {
  return records.map(({ rawJobId }) => rawJobId);
}

/** The process that a fake program wrote down, once it has. */
async function pidOfProgram(): Promise<number> {
  const path = join(slurm.folder, "pid");
  await until("the program has started", () => existsSync(path));
  return Number(readFileSync(path, "utf8"));
}

describe("an answer that is not whole is an error, after the jobs that are", () => {
  test("when sacct fails behind its rows", async () => {
    slurm.program("sacct", `${PRINT_ROWS} fs.writeSync(2, "sacct: error: out of memory\\n"); process.exit(3);`);
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty(
      "message",
      `${join(slurm.folder, "sacct")}, asked for jobs, ended with exit code 3. sacct: error: out of memory`,
    );
    // Steps of the last one may be missing.
    expect(idsOf(outcome)).toEqual(["1", "2"]);
  });

  test("when it gives no reason", async () => {
    slurm.program("sacct", "process.exit(1);");
    expect((await read()).error).toHaveProperty("message", expect.stringContaining("exit code 1. It gave no reason."));
  });

  test("when slurmdbd goes away and sacct prints a header, no job, and exits with 0", async () => {
    const said = [
      "sacct: error: _slurm_persist_recv_msg: only read 7978 of 21383 bytes",
      "sacct: error: Getting response to message type: DBD_GET_JOBS_COND",
    ];
    slurm.program(
      "sacct",
      `fs.writeSync(2, ${JSON.stringify(`${said.join("\n")}\n`)}); fs.writeSync(1, ${JSON.stringify(HEADER)});`,
    );
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining(`reported an error. ${said.join("; ")}`));
  });

  test("when it is ended by somebody else", async () => {
    slurm.program("sacct", `${PRINT_ROWS} process.kill(process.pid, "SIGKILL");`);
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining("was ended by SIGKILL."));
  });

  test("when the last row is cut, even where all columns are there", async () => {
    slurm.prints("sacct", ROWS.slice(0, -2));
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining("stopped in the middle of a line."));
    expect(idsOf(outcome)).toEqual(["1"]);
  });

  test("when it prints nothing at all", async () => {
    slurm.prints("sacct", "");
    expect((await read()).error).toBeInstanceOf(UpstreamError);
  });

  test("when it prints something else", async () => {
    slurm.prints("sacct", "Welcome to the login node!\n");
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining("What sacct wrote cannot be read."));
  });
});

test("a warning is no error", async () => {
  slurm.program("sacct", `fs.writeSync(2, "sacct: warning: an old option in slurm.conf\\n"); ${PRINT_ROWS}`);
  const outcome = await read();
  expect(outcome.error).toBeNull();
  expect(idsOf(outcome)).toEqual(["1", "2", "3"]);
});

describe("a sacct that cannot be started is an error that names the setting", () => {
  test("when it is not there", async () => {
    const outcome = await read({ sacctPath: join(slurm.folder, "no-sacct") });
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty(
      "message",
      expect.stringMatching(/no-sacct: there is no such program.*SACCT_PATH/u),
    );
  });

  test("when it may not be executed", async () => {
    slurm.prints("sacct", ROWS);
    chmodSync(join(slurm.folder, "sacct"), 0o644);
    const outcome = await read();
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringMatching(/may not be executed.*SACCT_PATH/u));
  });

  test("when slurm.conf is not there", async () => {
    slurm.prints("sacct", ROWS);
    const outcome = await read({ slurmConf: join(slurm.folder, "slurm.conf") });
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining("SLURM_CONF"));
    expect(slurm.calls("sacct")).toEqual([]);
  });
});

describe("no program is left behind", () => {
  test("when it says nothing any more", async () => {
    slurm.program("sacct", `${WRITE_PID} ${PRINT_ROWS} ${WAIT_FOREVER}`);
    const outcome = await read({ timeouts: { readSeconds: 1, askSeconds: 1, killSeconds: 5 } });
    expect(outcome.error).toBeInstanceOf(UpstreamError);
    expect(outcome.error).toHaveProperty("message", expect.stringContaining("wrote nothing for 1 s and was ended."));
    expect(isAlive(await pidOfProgram())).toBe(false);
  });

  test("when the reading is aborted, whatever it thinks of SIGTERM", async () => {
    slurm.program("sacct", `process.on("SIGTERM", () => undefined); ${WRITE_PID} ${PRINT_ROWS} ${WAIT_FOREVER}`);
    const abort = new AbortController();
    const reading = read({ timeouts: { readSeconds: 60, askSeconds: 60, killSeconds: 0.2 } }, abort.signal);
    const pid = await pidOfProgram();
    const reason = new Error("cancelled by an admin");
    abort.abort(reason);
    expect((await reading).error).toBe(reason);
    expect(isAlive(pid)).toBe(false);
  });

  test("and nothing that a wrapper script started", async () => {
    slurm.program("sacct", 'require("node:child_process").spawn(here + "/sreport", { stdio: "inherit" });');
    slurm.program("sreport", `${WRITE_PID} ${PRINT_ROWS} ${WAIT_FOREVER}`);
    const abort = new AbortController();
    const reading = read({}, abort.signal);
    const pid = await pidOfProgram();
    abort.abort();
    expect((await reading).error).toHaveProperty("name", "AbortError");
    await until("the wrapped program is gone", () => !isAlive(pid));
  });

  test("when nobody wants the rest", async () => {
    slurm.program("sacct", `${WRITE_PID} ${PRINT_ROWS} ${WAIT_FOREVER}`);
    const { signal } = new AbortController();
    for await (const batch of sacctSource(slurm.options()).jobs(WINDOW, { signal, jobsPerBatch: 1 })) {
      expect(batch.records).toHaveLength(1);
      break;
    }
    expect(isAlive(await pidOfProgram())).toBe(false);
  });

  test("when the reading is aborted while the program is being started", async () => {
    slurm.program("sacct", WAIT_FOREVER);
    const momentsOfStart = 25;
    for (let moment = 0; moment < momentsOfStart; moment++) {
      const abort = new AbortController();
      const reading = read({}, abort.signal);
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      abort.abort();
      expect((await reading).error).toHaveProperty("name", "AbortError");
    }
  });

  test("and none is started when the reading was aborted before", async () => {
    slurm.prints("sacct", ROWS);
    expect((await read({}, AbortSignal.abort())).error).toHaveProperty("name", "AbortError");
    expect(slurm.calls("sacct")).toEqual([]);
  });
});
