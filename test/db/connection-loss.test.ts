import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openClient } from "../../src/db/connection.ts";
import { explainLoss, isConnectionLoss } from "../../src/db/connection-loss.ts";
import { UserError } from "../../src/errors.ts";
import { createTestDatabase } from "../support/database.ts";

it("a broken pipe is explained by the last serious line of the server's log", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hpc-billing-loss-"));
  try {
    writeFileSync(
      join(folder, "postgres.log"),
      [
        "2026-11-23 17:00:00 UTC [1] LOG:  database system is ready to accept connections",
        '2026-11-23 17:01:00 UTC [7] PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device',
        "2026-11-23 17:01:00 UTC [9] FATAL:  terminating connection due to unexpected postmaster exit",
        "",
      ].join("\n"),
    );
    const loss = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    expect(isConnectionLoss(loss)).toBe(true);
    expect((await explainLoss(loss, folder)).message).toContain("No space left on device");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("what the database refuses is no broken connection", () => {
  expect(isConnectionLoss(Object.assign(new Error("duplicate key"), { code: "23505" }))).toBe(false);
  expect(isConnectionLoss(new UserError("there is no such receipt"))).toBe(false);
});

it("a connection that breaks fails its statement and does not end the process", async () => {
  const database = await createTestDatabase();
  const client = openClient(database.url);
  await client.connect();
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  const failure: unknown = await client.query("SELECT pg_terminate_backend(pg_backend_pid())").catch((error) => error);
  expect(isConnectionLoss(failure)).toBe(true);
  await ended;
  await expect(client.query("SELECT 1")).rejects.toThrow(/not queryable|closed/u);
  await database.drop();
});
