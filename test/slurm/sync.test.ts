import { writeFileSync } from "node:fs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { issueReceipt } from "../../src/billing/issue.ts";
import { receiptTotals } from "../../src/billing/queries.ts";
import { sql } from "../../src/db/database.ts";
import { unfinishedJobs } from "../../src/usage/queries/job-list.ts";
import { clusterStatuses, type ClusterStatus } from "../../src/usage/sync/status.ts";
import type { TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";
import { until } from "../support/until.ts";
import { middleman } from "./middleman.ts";
import {
  clusterWith,
  contextNow,
  killDaemon,
  repairAccounting,
  restConfig,
  restoreCluster,
  SACCT,
  sacctSays,
  slurm,
  syncNow,
  weHold,
} from "./real-cluster.ts";

const TLS = join(import.meta.dirname, "../data/tls");

let context: TestContext;

beforeEach(async () => {
  context = await contextNow();
});

afterEach(async () => {
  restoreCluster();
  await context.close();
});

async function status(): Promise<ClusterStatus> {
  const [only] = await clusterStatuses(context.db);
  if (only === undefined) throw new Error("there is no cluster");
  return only;
}

async function expectAll(): Promise<void> {
  expect(await weHold(context.db)).toEqual(await sacctSays());
  const { rollup, truth } = await rollupAndTruth(context.db);
  expect(rollup).toEqual(truth);
}

describe("the runs of a real cluster", () => {
  it("are eighteen, of every kind that is easily billed wrongly", async () => {
    const ofWorkload = await sacctSays("--accounts=mu-climate,gov-health,co-acme");
    const states = ofWorkload.map(({ state }) => state);
    expect(states).toHaveLength(18);
    expect(new Set(states)).toEqual(new Set(["CANCELLED", "COMPLETED", "FAILED", "REQUEUED", "TIMEOUT"]));
  });

  it("have the same keys and seconds by sacct as sacct --duplicates prints them", async () => {
    expect(await syncNow(context, clusterWith({ sacct: SACCT }))).toMatchObject({ source: "sacct" });
    await expectAll();
  });

  it("have them by slurmrestd, which hides a requeued run, filled in from sacct", async () => {
    const cluster = clusterWith({ slurmrestd: restConfig(), sacct: SACCT });
    expect(await syncNow(context, cluster)).toMatchObject({ source: "slurmrestd", trouble: null });
    await expectAll();
    const [first] = (await status()).sources;
    expect(first).toMatchObject({
      source: "slurmrestd",
      ok: true,
      limits: expect.arrayContaining(["hides_requeued_runs"]),
    });
  });

  it("have them by slurmrestd alone", async () => {
    await syncNow(context, clusterWith({ slurmrestd: restConfig() }));
    await expectAll();
  });

  it("are described alike by both, so that going over from one to the other changes nothing", async () => {
    await syncNow(context, clusterWith({ sacct: SACCT }));
    const again = await syncNow(context, clusterWith({ slurmrestd: restConfig() }));
    expect(again.totals).toMatchObject({ new: 0, changed: 0, unchanged: (await sacctSays()).length, rejected: 0 });
  });

  it("come with the accounts, who belongs to them and who coordinates them", async () => {
    for (const sources of [{ sacct: SACCT }, { slurmrestd: restConfig() }]) {
      const fresh = await contextNow();
      onTestFinished(() => fresh.close());
      await syncNow(fresh, clusterWith(sources));
      const tree = await fresh.db.rows(
        z.object({ account: z.string(), parent: z.string().nullable() }),
        sql`SELECT account, parent FROM slurm_accounts ORDER BY account`,
      );
      expect(tree.map(({ account, parent }) => `${account} < ${parent ?? "-"}`)).toEqual([
        "co < root", "co-acme < co", "gov < root", "gov-health < gov", "mu < root", "mu-climate < mu", "root < -",
      ]); // prettier-ignore
      const coordinators = await fresh.db.rows(
        z.object({ account: z.string(), user_name: z.string() }),
        sql`SELECT account, user_name FROM account_coordinators`,
      );
      expect(coordinators).toEqual([{ account: "mu", user_name: "somchai" }]);
      const members = await fresh.db.rows(
        z.object({ user_name: z.string() }),
        sql`SELECT user_name FROM account_members WHERE account = 'mu-climate' ORDER BY user_name`,
      );
      expect(members.map(({ user_name }) => user_name)).toEqual(["alice", "bob", "somchai"]);
    }
  });

  it("are shown while they run, and counted when they have ended", async () => {
    const submitted = await slurm("sbatch", "--parsable", "--account=root", "--output=/dev/null", "--wrap=sleep 100");
    const id = submitted.trim();
    onTestFinished(() => slurm("scancel", id).then(() => undefined));
    await until("the job runs", async () => (await slurm("squeue", "-h", "-j", id, "-o", "%T")).includes("RUNNING"));
    const cluster = clusterWith({ slurmrestd: restConfig(), sacct: SACCT });
    const sees = async (): Promise<boolean> => {
      await syncNow(context, cluster);
      return (await unfinishedJobs(context.db, {}, 10)).some((job) => job.rawJobId === id && job.state === "RUNNING");
    };
    await until("we see it run", sees);
    await slurm("scancel", id);
    await until("we see its end", async () => {
      await syncNow(context, cluster);
      return (await weHold(context.db)).some(({ key, state }) => key.startsWith(`${id} `) && state === "CANCELLED");
    });
    await expectAll();
  });
});

describe("a sync that is hurt on the way ends with the same totals", () => {
  it("when slurmrestd is killed in the middle of its answer", async () => {
    const between = await middleman();
    between.fault = async (_request, answer, real) => {
      await killDaemon("slurmrestd");
      answer.writeHead(200, { "content-type": "application/json", "content-length": real.length });
      answer.write(real.subarray(0, real.length / 2), () => answer.destroy());
    };
    const cluster = clusterWith({ slurmrestd: restConfig({ url: between.url }) });
    await expect(syncNow(context, cluster)).rejects.toThrow(/cut|broke|end/iu);
    expect((await status()).completeUntil).toBeNull();
    between.fault = null;
    restoreCluster();
    await syncNow(context, cluster);
    await expectAll();
  });

  it("when slurmdbd is killed: that is an error, and never an empty answer", async () => {
    const between = await middleman();
    between.before = () => killDaemon("slurmdbd");
    const cluster = clusterWith({ slurmrestd: restConfig({ url: between.url }) });
    await expect(syncNow(context, cluster)).rejects.toThrow();
    await expect(syncNow(context, clusterWith({ sacct: SACCT }))).rejects.toThrow(/sacct/u);
    expect(await status()).toMatchObject({ completeUntil: null, failures: 2 });
    between.before = null;
    restoreCluster();
    await syncNow(context, cluster);
    await expectAll();
    expect(await status()).toMatchObject({ failures: 0, lastError: null });
  });

  it("when our database goes away under it", async () => {
    const between = await middleman();
    const killAll = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    between.before = async () => {
      await context.db.run(killAll);
    };
    const cluster = clusterWith({ slurmrestd: restConfig({ url: between.url }), sacct: SACCT });
    await syncNow(context, cluster).catch(() => undefined);
    between.before = null;
    // Who died holding the lease keeps it for a while.
    await context.db.run(sql`UPDATE sync_clusters SET lease_until = NULL`);
    await syncNow(context, cluster);
    await expectAll();
  });

  it("when slurmrestd is away for good, by going over to sacct", async () => {
    await killDaemon("slurmrestd");
    const outcome = await syncNow(context, clusterWith({ slurmrestd: restConfig(), sacct: SACCT }));
    expect(outcome.source).toBe("sacct");
    expect(outcome.trouble).toMatch(/^slurmrestd: .*refused/u);
    await expectAll();
  });
});

describe("an answer that is none is said for what it is, and the next sync recovers", () => {
  const cases: readonly [string, RegExp, Parameters<typeof spoiled>[0]][] = [
    ["a server error", /500/u, (_q, answer) => void answer.writeHead(500).end("oops")],
    [
      "a page instead of JSON",
      /HTML|page/u,
      (_q, answer) =>
        void answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>"),
    ],
    [
      "an answer that is cut",
      /cut|broke|end/iu,
      (_q, answer, real) => {
        answer.writeHead(200, { "content-type": "application/json", "content-length": real.length });
        answer.write(real.subarray(0, real.length - 10), () => answer.destroy());
      },
    ],
  ];

  async function spoiled(fault: NonNullable<Awaited<ReturnType<typeof middleman>>["fault"]>) {
    const between = await middleman();
    between.fault = fault;
    return { between, cluster: clusterWith({ slurmrestd: restConfig({ url: between.url }) }) };
  }

  it.each(cases)("%s", async (_what, message, fault) => {
    const { between, cluster } = await spoiled(fault);
    await expect(syncNow(context, cluster)).rejects.toThrow(message);
    expect((await status()).lastError).toMatch(message);
    between.fault = null;
    await syncNow(context, cluster);
    await expectAll();
  });

  it("a token that is wrong, then one that was rotated into the file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "token-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "token");
    writeFileSync(path, "eyJhbGciOiJIUzI1NiJ9.wrong.wrong\n");
    const cluster = clusterWith({ slurmrestd: restConfig({ token: { kind: "file", path } }) });
    await expect(syncNow(context, cluster)).rejects.toThrow(/token/iu);
    writeFileSync(path, await slurm("scontrol", "token", "username=hpcbilling", "lifespan=600"));
    await syncNow(context, cluster);
    await expectAll();
  });

  it("a certificate of somebody else, then one of the authority we trust", async () => {
    const tls = { key: readFileSync(join(TLS, "server-key.pem")), cert: readFileSync(join(TLS, "server.pem")) };
    const between = await middleman(tls);
    const wrong = clusterWith({
      slurmrestd: restConfig({ url: between.url, caPath: join(TLS, "other-ca.pem") }),
    });
    await expect(syncNow(context, wrong)).rejects.toThrow(/SLURMRESTD_CA/u);
    const right = clusterWith({ slurmrestd: restConfig({ url: between.url, caPath: join(TLS, "ca.pem") }) });
    await syncNow(context, right);
    await expectAll();
  });
});

describe("a record that somebody repairs in accounting after it was billed", () => {
  it("comes back as a correction on the next receipt", async () => {
    const cluster = clusterWith({ sacct: SACCT });
    await syncNow(context, cluster);
    const today = context.days.dayOf(Math.floor(context.clock.now().getTime() / 1000));
    const first = await issueReceipt(context, { userName: "erin", cutoffDay: today }, { actor: "test" });
    const longer = (sign: "+" | "-"): void =>
      repairAccounting(`UPDATE alpha_job_table SET time_end = time_end ${sign} 3600 WHERE job_name = 'exclusive'`);
    onTestFinished(() => longer("-"));
    longer("+");
    expect((await syncNow(context, cluster)).totals).toMatchObject({ changed: 1 });
    const second = await issueReceipt(context, { userName: "erin", cutoffDay: today }, { actor: "test" });
    // 64 cores, 6 GPUs and 250,000 MiB, 3,602 s instead of 2 s at the first prices of the private tier, each rounded.
    expect(second?.totalMinor).toBe(64n * 400n + 6n * 14_000n + 2_442n);
    expect((await receiptTotals(context.db, { userName: "erin" })).totalMinor).toBe(
      (first?.totalMinor ?? 0n) + (second?.totalMinor ?? 0n),
    );
  });
});
