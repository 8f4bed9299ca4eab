/** What was settled before movements of money were kept, and what the version before this one settles while it still runs. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueReceipt } from "../../src/billing/issue.ts";
import { movementsOf } from "../../src/billing/money-movements.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { revertManual } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import { startCheckout } from "../../src/payments/checkout.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;
let receiptId: bigint;
let totalMinor: bigint;

beforeEach(async () => {
  context = await createTestContext();
  await context.importJobs([aJob()]);
  const receipt = await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, { actor: "alice" });
  if (receipt === undefined) throw new Error("nothing was billed");
  ({ id: receiptId, totalMinor } = receipt);
});

afterEach(() => context.close());

/** As version 0.1.0 wrote it. */
function settleAsBefore(method: string, reference: string): Promise<number> {
  return context.db.run(
    sql`UPDATE receipts SET status = 'paid', paid_at = now(), paid_method = ${method}, paid_reference = ${reference}
        WHERE id = ${receiptId}`,
  );
}

describe("the version before this one, while both run", () => {
  it("marks a receipt as paid by hand, and the money is in the books", async () => {
    await settleAsBefore("manual", "transfer 7");
    expect(await movementsOf(context.db, receiptId)).toMatchObject([
      { kind: "manual", amountMinor: totalMinor, reference: "transfer 7" },
    ]);
    expect(await findReceipt(context.db, receiptId)).toMatchObject({ status: "paid", dueMinor: 0n });
    await revertManual(context, receiptId, "typed by mistake", { actor: "admin" });
    expect((await findReceipt(context.db, receiptId))?.dueMinor).toBe(totalMinor);
  });

  it("settles by a provider's event, and the payment is counted once", async () => {
    await startCheckout(context.payments, receiptId, { actor: "alice" });
    await context.db.run(sql`UPDATE payments SET status = 'succeeded', settled_at = now()`);
    await settleAsBefore("dummy", "dev_1");
    expect(await movementsOf(context.db, receiptId)).toMatchObject([
      { kind: "payment", amountMinor: totalMinor, reference: "dev_1" },
    ]);
  });

  it("cannot call a receipt paid by a provider that took no money", async () => {
    await expect(settleAsBefore("dummy", "dev_1")).rejects.toThrow("cannot be paid without money");
  });
});
