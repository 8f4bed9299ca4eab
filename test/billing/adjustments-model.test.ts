import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { listReceipts } from "../../src/billing/queries.ts";
import { markPaid, voidReceipt } from "../../src/billing/settle.ts";
import { sql, type Database } from "../../src/db/database.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { setRate } from "../../src/usage/prices/change.ts";
import { aJob, at, createTestContext, TEST_KEYRING, type TestContext } from "../support/context.ts";
import { rollupAndTruth } from "../support/rollup.ts";

const USERS = ["alice", "bob"] as const;
const by = { actor: "root" };

const user = fc.constantFrom(...USERS);
const pick = fc.nat({ max: 50 });
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("new job" as const), user, hours: fc.integer({ min: 0, max: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("change" as const), pick, hours: fc.integer({ min: 0, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("change back" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("comment" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rename" as const), pick, user }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("issue" as const), user }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("void" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pay" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rate" as const), baht: fc.integer({ min: 0, max: 9 }) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** Does what the commands say with the product itself; knows of the jobs only what Slurm would. */
class Centre {
  readonly #context: TestContext;
  readonly #jobs: { first: JobRecord; now: JobRecord }[] = [];

  constructor(context: TestContext) {
    this.#context = context;
  }

  async does(command: Command): Promise<void> {
    switch (command.kind) {
      case "new job": {
        const job = lasting(aJob({ user: command.user, allocMemMib: 0 }), command.hours);
        this.#jobs.push({ first: job, now: job });
        await this.#context.importJobs([job]);
        return;
      }
      case "change":
        return this.#change(command.pick, ({ now }) => lasting(now, command.hours));
      case "change back":
        return this.#change(command.pick, ({ first, now }) => ({ ...first, user: now.user }));
      case "comment":
        return this.#change(command.pick, ({ now }) => ({ ...now, comment: `${now.comment}!` }));
      case "rename":
        return this.#change(command.pick, ({ now }) => ({ ...now, user: command.user }));
      case "issue":
        await issueReceipt(this.#context, { userName: command.user, cutoffDay: "2026-10-31" }, by);
        return;
      case "void":
        return this.#withPending(command.pick, (id) => voidReceipt(this.#context, id, "a reason", by));
      case "pay":
        return this.#withPending(command.pick, (id) => markPaid(this.#context, id, "a transfer", by));
      case "rate": {
        const price = { cpuMicro: BigInt(command.baht) * 1_000_000n, gpuMicro: 0n, memMicro: 0n };
        await setRate(this.#context, { tier: "mu", ...price, effectiveFrom: null, note: "" }, by);
      }
    }
  }

  async #change(pick: number, to: (job: { first: JobRecord; now: JobRecord }) => JobRecord): Promise<void> {
    const job = this.#jobs[pick % Math.max(1, this.#jobs.length)];
    if (job === undefined) return;
    job.now = to(job);
    await this.#context.importJobs([job.now]);
  }

  async #withPending(pick: number, act: (id: bigint) => Promise<void>): Promise<void> {
    const pending = await listReceipts(this.#context.db, { status: "pending" }, { limit: 100 });
    const receipt = pending[pick % Math.max(1, pending.length)];
    if (receipt !== undefined) await act(receipt.id);
  }
}

function lasting(job: JobRecord, hours: number): JobRecord {
  return { ...job, elapsedSeconds: hours * 3600, endAt: at("2026-10-10T02:00:00Z") + hours * 3600 };
}

const text = z.record(z.string(), z.string().nullable());

/** For every job and person: what the receipts that hold say, what the job costs now, and whether it waits to be looked at. */
async function jobsAndPeople(
  db: Database,
): Promise<{ job: string; owed: bigint; said: bigint; correct: bigint; isOpen: boolean }[]> {
  const rows = await db.rows(
    text,
    sql`SELECT j.raw_job_id || ' of ' || u.username AS job,
               owed_minor(j.cluster, j.raw_job_id, j.submit_at, u.username)::text AS owed,
               (coalesce(i.minor, 0) + coalesce(a.minor, 0))::text AS said,
               (CASE WHEN i.minor IS NULL THEN 0 ELSE j.cpu_minor + j.gpu_minor + j.mem_minor END)::text AS correct,
               EXISTS (SELECT FROM corrections c
                       WHERE c.raw_job_id = j.raw_job_id AND c.user_name = u.username AND c.status = 'open')::text AS is_open
        FROM jobs j CROSS JOIN users u
        LEFT JOIN LATERAL (SELECT sum(i.cpu_minor + i.gpu_minor + i.mem_minor) AS minor
                           FROM receipt_items i JOIN receipts r ON r.id = i.receipt_id
                           WHERE i.raw_job_id = j.raw_job_id AND r.user_name = u.username AND r.status <> 'void') i ON true
        LEFT JOIN LATERAL (SELECT sum(a.amount_minor) AS minor
                           FROM receipt_adjustments a JOIN receipts r ON r.id = a.receipt_id
                           WHERE a.raw_job_id = j.raw_job_id AND r.user_name = u.username AND r.status <> 'void') a ON true`,
  );
  return rows.map((row) => ({
    job: row["job"] ?? "",
    owed: BigInt(row["owed"] ?? 0),
    said: BigInt(row["said"] ?? 0),
    correct: BigInt(row["correct"] ?? 0),
    isOpen: row["is_open"] === "true",
  }));
}

async function expectBalance(db: Database): Promise<void> {
  for (const { job, owed, said, correct, isOpen } of await jobsAndPeople(db)) {
    expect({ job, sum: said + owed, isOpen }).toEqual({ job, sum: correct, isOpen: owed !== 0n });
  }
  const wrong = await db.rows(
    text,
    sql`SELECT r.number FROM receipts r
        WHERE r.subtotal_minor < 0 OR r.subtotal_minor <> r.adjustments_minor
                + (SELECT coalesce(sum(amount_minor), 0) FROM receipt_lines l WHERE l.receipt_id = r.id)
           OR r.adjustments_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM receipt_adjustments a WHERE a.receipt_id = r.id)
           OR EXISTS (SELECT FROM receipt_adjustments a
                      WHERE a.receipt_id = r.id AND (a.active = (r.status = 'void') OR a.user_name <> r.user_name))
           OR EXISTS (SELECT FROM receipt_adjustments a
                      WHERE a.receipt_id = r.id AND (abs(a.amount_minor) > abs(a.correct_minor - a.billed_minor)
                                                     OR sign(a.amount_minor) <> sign(a.correct_minor - a.billed_minor)))`,
  );
  expect(wrong).toEqual([]);
}

describe("corrections, whatever happens in whatever order", () => {
  it("leave every job with what is billed plus what is owed equal to what it costs", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40, size: "max" }), async (commands) => {
        const context = await createTestContext();
        try {
          const centre = new Centre(context);
          for (const one of commands) {
            await centre.does(one);
            await expectBalance(context.db);
          }
          for (const userName of USERS) await centre.does({ kind: "issue", user: userName });
          // Only credits wait for long, and only for somebody with nothing to pay.
          const left = await jobsAndPeople(context.db);
          for (const userName of USERS) {
            const theirs = left.filter(({ job }) => job.endsWith(` of ${userName}`));
            expect(theirs.reduce((sum, { owed }) => sum + owed, 0n)).toBeLessThanOrEqual(0n);
          }
          const { rollup, truth } = await rollupAndTruth(context.db);
          expect(rollup).toEqual(truth);
          expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
        } finally {
          await context.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
