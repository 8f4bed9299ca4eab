import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../../src/db/database.ts";
import type { SyncRequests } from "../../src/web/routes/admin.tsx";
import { syncCluster } from "../../src/usage/sync/sync-cluster.ts";
import { saveNamingProblem } from "../../src/usage/sync/clusters.ts";
import { takeLease } from "../../src/usage/sync/lease.ts";
import { aJob, at } from "../support/context.ts";
import { clusterOf, FakeScheduler, FakeSource } from "../support/fake-scheduler.ts";
import { startAdminSite, type AdminSite } from "./admin-site.ts";

let site: AdminSite;
let asked: unknown[];
let source: FakeSource;

const NOW = "2026-11-20T05:00:00Z";

beforeEach(async () => {
  asked = [];
  const syncs: SyncRequests = {
    keyOf: (cluster) => cluster,
    request: (key, actor, days) => {
      asked.push([key, actor, days]);
      return Promise.resolve(asked.length === 1);
    },
  };
  site = await startAdminSite({ now: NOW, env: { SACCT_PATH: "/usr/bin/sacct", SLURM_CLUSTER: "alpha" }, syncs });
  source = new FakeSource("sacct", new FakeScheduler("alpha", () => at(NOW)));
});

afterEach(() => site.close());

async function sync(): Promise<void> {
  const policy = () => ({ startAt: at(NOW) - 3_600, overlapSeconds: 3_600, windowSeconds: 86_400 });
  await syncCluster({ ...site, policy }, clusterOf("alpha", [source]), { actor: "system" });
}

const page = async (): Promise<string> => (await site.root.get("/admin?section=sources")).body;

describe("the page of sources", () => {
  it("says how to connect a cluster where there is none", async () => {
    const empty = await startAdminSite({ now: NOW });
    const { body } = await empty.root.get("/admin?section=sources");
    expect(body).toContain("No cluster is connected");
    expect(body).toContain("SLURMRESTD_URL");
    await empty.close();
  });

  it("says why a cluster without a configured name could not be asked for it", async () => {
    const nameless = await startAdminSite({ now: NOW, env: { SACCT_PATH: "/usr/bin/sacct" } });
    const page = async (): Promise<string> => (await nameless.root.get("/admin?section=sources")).body;
    await saveNamingProblem(nameless.db, { at: new Date(at(NOW) * 1000), error: "slurmrestd refuses the token <b>" });
    const body = await page();
    expect(body).toContain("The cluster cannot be asked for its name");
    expect(body).toContain("slurmrestd refuses the token &lt;b>");
    await saveNamingProblem(nameless.db, null);
    expect(await page()).not.toContain("cannot be asked for its name");
    await nameless.close();
  });

  it("names a cluster that was not asked yet", async () => {
    expect(await page()).toContain("alpha has not been asked yet");
  });

  it("shows how far usage is complete, where it was read, and how the source does", async () => {
    await sync();
    site.clock.set("2026-11-20T05:20:00Z");
    const body = await page();
    expect(body).toContain("20 minutes");
    expect(body).toContain("Complete up to 20 Nov 2026 12:00 on alpha");
    expect(body).toContain("sacct of a test");
    expect(body).toContain("Up to date");
  });

  it("says what failed, since how often, and that nothing was lost", async () => {
    source.broken = "sacct cannot reach slurmdbd <now>";
    await sync().catch(() => undefined);
    await sync().catch(() => undefined);
    const body = await page();
    expect(body).toContain("The last sync of alpha failed");
    expect(body).toContain("sacct cannot reach slurmdbd &lt;now>");
    expect(body).toContain("failed in a row: 2");
    expect(body).toContain("Not reachable");
  });

  it("asks for a sync, and says when one is waiting already", async () => {
    const first = await site.root.post("/admin/sources/sync", { cluster: "alpha" });
    expect([first.statusCode, first.headers.location]).toEqual([
      303,
      "/admin?section=sources&notice=requested&cluster=alpha",
    ]);
    const second = await site.root.post("/admin/sources/sync", { cluster: "alpha" });
    expect(second.headers.location).toContain("notice=alreadyAsked");
    expect(asked).toEqual([
      ["alpha", "root", undefined],
      ["alpha", "root", undefined],
    ]);
  });

  it("reads whole days again, and refuses days that make no sense", async () => {
    const again = (from: string, to: string) => site.root.post("/admin/sources/sync", { cluster: "alpha", from, to });
    expect((await again("2026-11-01", "2026-11-05")).statusCode).toBe(303);
    expect(asked).toEqual([["alpha", "root", { from: "2026-11-01", to: "2026-11-05" }]]);
    for (const [from, to, message] of [
      ["2026-11-05", "2026-11-01", "lies before"],
      ["2026-11-05", "", "ive both days"],
      ["2026-12-01", "2026-12-02", "still to come"],
      ["yesterday", "2026-11-01", "YYYY-MM-DD"],
    ] as const) {
      const refused = await again(from, to);
      expect(refused.statusCode).toBe(400);
      expect(refused.body).toContain(message);
    }
    expect(asked).toHaveLength(1);
  });

  it("stops a sync that is under way, and says so when there is none", async () => {
    const none = await site.root.post("/admin/sources/cancel", { cluster: "alpha" });
    expect(none.headers.location).toContain("notice=notSyncing");
    const lease = await takeLease(site, { cluster: "alpha", requestedBy: "system", holder: "a test" });
    const done = await site.root.post("/admin/sources/cancel", { cluster: "alpha" });
    expect(done.headers.location).toContain("notice=cancelRequested");
    expect(await page()).toContain("It stops after what it is writing now.");
    await lease.release();
  });

  it("lists rows that cannot be read, on the page and as CSV", async () => {
    source.scheduler.rejects = [{ line: 7, reason: "Start is not a time", text: '9|<b>alice|"x' }];
    source.scheduler.put(aJob({ cluster: "alpha", submitAt: at(NOW) - 60, endAt: at(NOW) - 10 }));
    await sync();
    expect(await page()).toContain("/admin/sources/rejects?cluster=alpha");
    const { body } = await site.root.get("/admin/sources/rejects?cluster=alpha");
    expect(body).toContain("Start is not a time");
    expect(body).toContain("9|&lt;b>alice|");
    const csv = await site.root.get("/admin/sources/rejects.csv?cluster=alpha");
    expect(csv.headers["content-type"]).toContain("text/csv");
    expect(csv.body.split("\r\n")[1]).toBe(
      'alpha,sacct,7,Start is not a time,2026-11-20T12:00:00+07:00,2026-11-20T12:00:00+07:00,"9|<b>alice|""x"',
    );
  });

  it("writes every row that cannot be read, once, however many there are", async () => {
    source.scheduler.rejects = Array.from({ length: 1_203 }, (_, index) => ({
      line: index + 1,
      reason: "Start is not a time",
      text: `${index}|alice`,
    }));
    source.scheduler.put(aJob({ cluster: "alpha", submitAt: at(NOW) - 60, endAt: at(NOW) - 10 }));
    await sync();
    const csv = await site.root.get("/admin/sources/rejects.csv?cluster=alpha");
    const lines = csv.body.trimEnd().split("\r\n").slice(1);
    expect(new Set(lines.map((line) => line.split(",").at(-1)))).toEqual(
      new Set(source.scheduler.rejects.map(({ text }) => text)),
    );
    expect(lines).toHaveLength(1_203);
  });

  it("tells scripts the same, and changes its status with every step", async () => {
    const read = async () =>
      (await site.root.get("/admin/sources.json")).json<{ status: string; clusters: unknown[] }>();
    const before = await read();
    expect(before.clusters).toEqual([
      {
        cluster: "alpha",
        source: null,
        complete_until: null,
        lag_seconds: null,
        syncing: false,
        failures: 0,
        last_error: null,
      },
    ]);
    await sync();
    const after = await read();
    expect(after.clusters).toMatchObject([
      { source: "sacct", complete_until: "2026-11-20T05:00:00.000Z", lag_seconds: 0 },
    ]);
    expect(after.status).not.toBe(before.status);
  });
});

describe("readiness and metrics", () => {
  it("say how usage flows in, without saying why it does not", async () => {
    await sync();
    source.broken = "a secret host is away";
    await sync().catch(() => undefined);
    const { body } = await site.app.inject("/readyz");
    expect(JSON.parse(body)).toEqual({
      status: "ok",
      details: {
        sources: [
          { cluster: "alpha", source: "sacct", lag_seconds: 0, failures: 1, last_error_at: "2026-11-20T05:00:00.000Z" },
        ],
      },
    });
    const metrics = (await site.app.inject("/metrics")).body;
    expect(metrics).toContain('hpc_sync_failures{cluster="alpha"} 1');
    expect(metrics).toContain(`hpc_sync_complete_until_timestamp_seconds{cluster="alpha"} ${at(NOW)}`);
    expect(metrics).toContain('hpc_sync_source_up{cluster="alpha",source="sacct",chosen="yes"} 0');
  });

  it("answer as ever where no cluster is connected", async () => {
    const empty = await startAdminSite({ now: NOW });
    expect((await empty.app.inject("/readyz")).json()).toEqual({ status: "ok" });
    await empty.close();
  });

  it("survive a cluster that was never synced", async () => {
    await site.db.run(sql`INSERT INTO sync_clusters (cluster) VALUES ('alpha')`);
    expect((await site.app.inject("/metrics")).body).toContain(
      'hpc_sync_complete_until_timestamp_seconds{cluster="alpha"} 0',
    );
    expect(await page()).toContain("Nothing was read from a live source yet");
  });
});
