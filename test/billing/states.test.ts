import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { issueReceipt } from "../../src/billing/issue.ts";
import { PAYMENT_MOVES, REFUND_MOVES } from "../../src/billing/states.ts";
import { sql } from "../../src/db/database.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;
let receiptId: bigint;

beforeAll(async () => {
  context = await createTestContext();
  await context.importJobs([aJob()]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  receiptId = receipt?.id ?? 0n;
});

afterAll(() => context.close());

const id = z.object({ id: z.bigint() });
let payments = 0;

/** True when the database lets a row go from one state to another. */
async function isLet(table: "payments" | "refunds", from: string, to: string): Promise<boolean> {
  const payment = await context.db.one(
    id,
    sql`INSERT INTO payments (receipt_id, provider, external_payment_id, status, amount_minor, currency, checkout_url, created_at, created_by)
        VALUES (${receiptId}, 'bank', ${`p${++payments}`}, ${table === "payments" ? from : "failed"}, 1, 'THB', '', now(), 'a test')
        RETURNING id`,
  );
  try {
    if (table === "payments") await context.db.run(sql`UPDATE payments SET status = ${to} WHERE id = ${payment.id}`);
    else {
      const refund = await context.db.one(
        id,
        sql`INSERT INTO refunds (receipt_id, payment_id, provider, status, amount_minor, currency, reason, requested_at, requested_by)
            VALUES (${receiptId}, ${payment.id}, 'bank', ${from}, 1, 'THB', 'a test', now(), 'a test') RETURNING id`,
      );
      await context.db.run(sql`UPDATE refunds SET status = ${to} WHERE id = ${refund.id}`);
    }
    return true;
  } catch (error) {
    expect(String(error)).toContain(`cannot go from ${from} to ${to}`);
    return false;
  } finally {
    await context.db.run(sql`DELETE FROM payments WHERE id = ${payment.id} AND ${table === "payments"}`);
  }
}

describe("the database", () => {
  it.each([
    ["payments", PAYMENT_MOVES],
    ["refunds", REFUND_MOVES],
  ] as const)("lets %s go where the code's table says, and nowhere else", async (table, moves) => {
    const all: readonly (readonly [string, readonly string[]])[] = Object.entries(moves);
    for (const [from, targets] of all) {
      for (const to of Object.keys(moves)) {
        const isInTable = to === from || targets.includes(to);
        expect([from, to, await isLet(table, from, to)]).toEqual([from, to, isInTable]);
      }
    }
  });
});
