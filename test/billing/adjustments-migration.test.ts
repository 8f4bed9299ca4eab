import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, inject, it } from "vitest";
import { PROJECT_ROOT } from "../../src/project-root.ts";
import { databaseUrl } from "../support/database-url.ts";

const FOLDER = join(PROJECT_ROOT, "migrations");

/** Runs `work` on an empty database that is dropped afterwards. */
async function onEmptyDatabase(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const admin = new pg.Client({ connectionString: inject("postgresAdminUrl") });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const client = new pg.Client({ connectionString: databaseUrl(inject("postgresAdminUrl"), name) });
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}

const KEY = { cluster: "test", raw_job_id: "1", submit_at: "2026-10-10T02:00:00Z" };
const COST = { cpu_minor: 700, gpu_minor: 0, mem_minor: 0 };
const AT = "2026-11-01T02:00:00Z";
const RECORD = {
  ...KEY, ...COST, job_id: "1", key_is_weak: false, user_name: "bob", account: "mu", partition: "cpu", qos: "", job_name: "",
  phase: "finished", state: "COMPLETED", exit_code: "", node_list: "", comment: "", end_at: AT, elapsed_seconds: 1,
  alloc_cpus: 1, alloc_nodes: 1, alloc_mem_mib: 0, alloc_gpus: 0, gpu_types: "", alloc_billing: 0, energy_joules: 0,
  usage_day: "2026-11-01", tier: "mu", charge_kind: "priced", receipt_id: 1, batch_id: 1,
}; // prettier-ignore
const RECEIPT = {
  id: 1, number: "R-2026-000001", user_name: "alice", status: "paid", cutoff_day: "2026-10-31", issued_at: AT, issued_by: "a",
  tier: "mu", accounts: "", currency: "THB", price_version: 1, jobs: 2, subtotal_minor: 1000, tax_inclusive: false,
  tax_minor: 0, total_minor: 1000, paid_at: AT,
}; // prettier-ignore
const ITEM = {
  ...RECORD, receipt_id: 1, active: true, rule_set_id: 1, lines: [], cpu_minor: 500,
}; // prettier-ignore

async function insert(client: pg.Client, table: string, row: object): Promise<void> {
  await client.query(`INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1)`, [row]);
}

it("corrections recorded before adjustments existed belong to whoever was billed, and wait only if they owe something", async () => {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".sql")).toSorted();
  const migrate = async (client: pg.Client, which: readonly string[]): Promise<void> => {
    for (const name of which) await client.query(await readFile(join(FOLDER, name), "utf8"));
  };
  const cut = names.findIndex((name) => name.startsWith("0004_"));
  await onEmptyDatabase(async (client) => {
    await migrate(client, names.slice(0, cut));
    await client.query("INSERT INTO users (username, created_at) VALUES ('alice', now()), ('bob', now())");
    await client.query("BEGIN");
    for (const raw_job_id of ["1", "2"]) {
      // The second job's record flipped back: it costs what was billed.
      const cpu_minor = raw_job_id === "1" ? 700 : 500;
      await insert(client, "jobs", { ...RECORD, raw_job_id, cpu_minor });
      await insert(client, "receipt_items", { ...ITEM, raw_job_id });
      await client.query(
        `INSERT INTO corrections (cluster, raw_job_id, submit_at, user_name, receipt_id, recorded_at, before, after, before_minor, after_minor)
         VALUES ('test', $1, $2, 'bob', 1, now(), '{}', '{}', 500, 700)`,
        [raw_job_id, KEY.submit_at],
      );
    }
    await insert(client, "receipts", RECEIPT);
    await client.query("COMMIT");
    await migrate(client, names.slice(cut));
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT raw_job_id, user_name, status, owed_minor(cluster, raw_job_id, submit_at, user_name) AS owed FROM corrections ORDER BY 1`,
    );
    expect(rows).toEqual([
      { raw_job_id: "1", user_name: "alice", status: "open", owed: "200" },
      { raw_job_id: "2", user_name: "alice", status: "settled", owed: "0" },
    ]);
    const receipts = await client.query("SELECT adjustments_minor FROM receipts");
    expect(receipts.rows).toEqual([{ adjustments_minor: "0" }]);
  });
});
