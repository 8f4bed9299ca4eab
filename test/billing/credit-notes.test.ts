import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fullCredit, lineCredit, type Creditable } from "../../src/billing/credit-note-amounts.ts";
import { creditNoteLines, creditNotesOf } from "../../src/billing/credit-note-queries.ts";
import { issueCreditNote } from "../../src/billing/credit-notes.ts";
import { issueReceipt, type IssuedReceipt } from "../../src/billing/issue.ts";
import { openCorrections, settlementsOf } from "../../src/billing/corrections.ts";
import { findReceipt, receiptLines } from "../../src/billing/queries.ts";
import { markPaid, moveCredit, revertManual, voidReceipt } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import { orderRefund } from "../../src/payments/refunds.ts";
import { taxOn } from "../../src/rating/tax.ts";
import { unbilledTotals } from "../../src/usage/queries/unbilled.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;
const by = { actor: "finance" };
const VAT = { label: "VAT", rateMicro: 70_000n, inclusive: false };

beforeEach(async () => {
  context = await createTestContext({ tax: VAT });
});

afterEach(() => context.close());

async function bill(user = "alice", cutoffDay = "2026-10-31"): Promise<IssuedReceipt> {
  const receipt = await issueReceipt(context, { userName: user, cutoffDay }, { actor: user });
  if (receipt === undefined) throw new Error("nothing was billed");
  return receipt;
}

const stateOf = async (id: bigint) => {
  const receipt = await findReceipt(context.db, id);
  return [receipt?.status, receipt?.dueMinor];
};

describe("a credit note", () => {
  it("of everything settles an unpaid receipt, and its jobs stay billed", async () => {
    await context.importJobs([aJob({ allocGpus: 2 })]);
    const receipt = await bill();
    const note = await issueCreditNote(context, receipt.id, { scope: "full", releaseJobs: false }, "goodwill", by);
    expect(note).toMatchObject({ number: "CN-2026-000001", totalMinor: receipt.totalMinor });
    expect(await findReceipt(context.db, receipt.id)).toMatchObject({
      status: "paid",
      paidMethod: "credit_note",
      paidReference: "CN-2026-000001",
      dueMinor: 0n,
    });
    expect(await unbilledTotals(context.db, { userName: "alice" })).toMatchObject({ jobs: 0n });
    expect(await issueReceipt(context, { userName: "alice", cutoffDay: "2026-10-31" }, by)).toBeUndefined();
  });

  it("frees the jobs for billing again only when that is asked for", async () => {
    await context.importJobs([aJob()]);
    const receipt = await bill();
    await markPaid(context, receipt.id, "transfer 1", by);
    await issueCreditNote(context, receipt.id, { scope: "full", releaseJobs: true }, "wrong project", by);
    expect(await stateOf(receipt.id)).toEqual(["paid", -receipt.totalMinor]);
    const again = await bill();
    expect(again.totalMinor).toBe(receipt.totalMinor);
    // What was paid for the first can pay the second.
    expect(await moveCredit(context, { fromId: receipt.id, toId: again.id }, by)).toBe(receipt.totalMinor);
    expect([await stateOf(receipt.id), await stateOf(again.id)]).toEqual([
      ["paid", 0n],
      ["paid", 0n],
    ]);
  });

  it("by line gives back with the tax that belongs to it, and the last one gives back the rest", async () => {
    await context.importJobs([aJob({ allocGpus: 2 })]);
    const receipt = await bill();
    const lines = await receiptLines(context.db, receipt.id);
    const gpu = lines.findIndex(({ resource }) => resource === "gpu") + 1;
    await issueCreditNote(context, receipt.id, { scope: "lines", amounts: new Map([[gpu, 333n]]) }, "a broken GPU", by);
    await issueCreditNote(context, receipt.id, { scope: "full", releaseJobs: false }, "all of it", by);
    const [part, rest] = await creditNotesOf(context.db, receipt.id);
    expect(part).toMatchObject({ subtotalMinor: 333n, taxMinor: 23n, totalMinor: 356n, receiptNumber: receipt.number });
    expect((part?.totalMinor ?? 0n) + (rest?.totalMinor ?? 0n)).toBe(receipt.totalMinor);
    if (rest === undefined) throw new Error("the second note is missing");
    expect((await creditNoteLines(context.db, rest)).reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(
      rest.subtotalMinor,
    );
  });

  it("is refused beyond what is left, for a void receipt, and without a reason", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" })]);
    const [alice, bob] = [await bill("alice"), await bill("bob")];
    const full = { scope: "full", releaseJobs: false } as const;
    const lines = (minor: bigint, position = 1) => ({ scope: "lines", amounts: new Map([[position, minor]]) }) as const;
    await expect(issueCreditNote(context, alice.id, full, " ", by)).rejects.toThrow("a reason is needed");
    await expect(issueCreditNote(context, alice.id, lines(10n ** 9n), "too much", by)).rejects.toThrow("line 1: takes");
    await expect(issueCreditNote(context, alice.id, lines(1n, 99), "no line", by)).rejects.toThrow("no line 99");
    await issueCreditNote(context, alice.id, full, "all", by);
    await expect(issueCreditNote(context, alice.id, full, "again", by)).rejects.toThrow("nothing is left");
    await voidReceipt(context, bob.id, "mistake", by);
    await expect(issueCreditNote(context, bob.id, full, "void", by)).rejects.toThrow("is void");
  });

  it("is issued once when two admins credit everything at once, and numbers have no gaps", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" })]);
    const [alice, bob] = [await bill("alice"), await bill("bob")];
    const full = { scope: "full", releaseJobs: true } as const;
    const all = [alice, alice, alice, bob].map(({ id }) => issueCreditNote(context, id, full, "twice", by));
    const done = (await Promise.allSettled(all)).filter(({ status }) => status === "fulfilled");
    expect(done).toHaveLength(2);
    const notes = [...(await creditNotesOf(context.db, alice.id)), ...(await creditNotesOf(context.db, bob.id))];
    expect(notes.map(({ number }) => number).sort()).toEqual(["CN-2026-000001", "CN-2026-000002"]);
  });

  it("settles what jobs turned out to cost less, for somebody who gets no further receipt", async () => {
    const job = aJob({ rawJobId: "7", allocMemMib: 0 });
    await context.importJobs([job]);
    const receipt = await bill();
    await markPaid(context, receipt.id, "transfer 1", by);
    await context.importJobs([{ ...job, endAt: (job.endAt ?? 0) - 1_800, elapsedSeconds: 1_800 }]);
    expect((await openCorrections(context.db, { userName: "alice" })).owedMinor).toBe(-250n);
    const note = await issueCreditNote(context, receipt.id, { scope: "corrections" }, "shorter than billed", by);
    expect(note.totalMinor).toBe(taxOn(250n, VAT).totalMinor);
    expect(await openCorrections(context.db, { userName: "alice" })).toMatchObject({ jobs: 0, owedMinor: 0n });
    const key = { cluster: job.cluster, rawJobId: job.rawJobId, submitAt: job.submitAt };
    expect(await settlementsOf(context.db, key, "alice")).toMatchObject([
      { kind: "credit_note", number: note.number, amountMinor: -250n },
    ]);
    expect(await stateOf(receipt.id)).toEqual(["paid", -note.totalMinor]);
    // It is not given back a second time.
    await context.importJobs([aJob({ allocMemMib: 0 })]);
    expect((await bill()).totalMinor).toBe(535n);
    await expect(issueCreditNote(context, receipt.id, { scope: "corrections" }, "again", by)).rejects.toThrow(
      "no job of receipt",
    );
  });

  it("cannot be edited or deleted, and a receipt's sums must be those of its movements and notes", async () => {
    await context.importJobs([aJob()]);
    const receipt = await bill();
    await issueCreditNote(context, receipt.id, { scope: "lines", amounts: new Map([[1, 1n]]) }, "a satang", by);
    await expect(context.db.run(sql`UPDATE credit_notes SET total_minor = 1`)).rejects.toThrow("append-only");
    await expect(context.db.run(sql`DELETE FROM money_movements`)).rejects.toThrow("append-only");
    await expect(context.db.run(sql`UPDATE receipts SET credited_minor = 0`)).rejects.toThrow("the sums of receipt");
    await expect(context.db.run(sql`UPDATE receipts SET status = 'paid', paid_at = now()`)).rejects.toThrow();
    await expect(
      context.db.run(
        sql`UPDATE receipts SET received_minor = 10000000, status = 'paid', paid_at = now(), paid_method = 'manual'`,
      ),
    ).rejects.toThrow("the sums of receipt");
  });
});

describe("amounts of credit notes", () => {
  const receipts = fc
    .record({
      amounts: fc.array(fc.bigInt({ min: 1n, max: 10n ** 9n }), { minLength: 1, maxLength: 6 }),
      rateMicro: fc.constantFrom(0n, 70_000n, 100_000n, 1_000_000n),
      inclusive: fc.boolean(),
    })
    .map(({ amounts, rateMicro, inclusive }): Creditable => {
      const subtotalMinor = amounts.reduce((sum, one) => sum + one, 0n);
      const tax = { label: "VAT", rateMicro, inclusive };
      return {
        currency: "THB",
        subtotalMinor,
        taxMinor: taxOn(subtotalMinor, tax).taxMinor,
        tax,
        creditedSubtotalMinor: 0n,
        creditedTaxMinor: 0n,
        lines: amounts.map((amountMinor, index) => ({ position: index + 1, amountMinor, creditedMinor: 0n })),
      };
    });

  it("never come to more than the receipt, however it is credited piece by piece, and in the end to all of it", () => {
    const pieces = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.bigInt({ min: 1n, max: 100n })), { maxLength: 8 });
    fc.assert(
      fc.property(receipts, pieces, (start, steps) => {
        let receipt = start;
        let credited = 0n;
        const take = (credit: ReturnType<typeof fullCredit>): void => {
          expect(credit.taxMinor).toBeGreaterThanOrEqual(0n);
          credited += credit.totalMinor;
          receipt = {
            ...receipt,
            creditedSubtotalMinor: receipt.creditedSubtotalMinor + credit.subtotalMinor,
            creditedTaxMinor: receipt.creditedTaxMinor + credit.taxMinor,
            lines: receipt.lines.map((line) => ({
              ...line,
              creditedMinor:
                line.creditedMinor +
                credit.lines
                  .filter(({ receiptPosition }) => receiptPosition === line.position)
                  .reduce((sum, one) => sum + one.amountMinor, 0n),
            })),
          };
        };
        for (const [index, percent] of steps) {
          const line = receipt.lines[index % receipt.lines.length];
          const amount = line === undefined ? 0n : ((line.amountMinor - line.creditedMinor) * percent) / 100n;
          if (line !== undefined && amount > 0n) take(lineCredit(receipt, new Map([[line.position, amount]])));
        }
        if (receipt.creditedSubtotalMinor < receipt.subtotalMinor) take(fullCredit(receipt));
        const total = start.subtotalMinor + (start.tax?.inclusive === true ? 0n : start.taxMinor);
        expect(credited).toBe(total);
        expect(receipt.creditedTaxMinor).toBe(start.taxMinor);
      }),
    );
  });
});

describe("a payment recorded by hand", () => {
  it("in part leaves the rest to be paid, and too much is owed back", async () => {
    await context.importJobs([aJob()]);
    const receipt = await bill();
    await markPaid(context, receipt.id, "cash", by, 100n);
    expect(await stateOf(receipt.id)).toEqual(["pending", receipt.totalMinor - 100n]);
    await markPaid(context, receipt.id, "more cash", by, receipt.totalMinor);
    expect(await stateOf(receipt.id)).toEqual(["paid", -100n]);
    await expect(voidReceipt(context, receipt.id, "late", by)).rejects.toThrow("is paid already");
  });

  it("is taken back newest first, and stays in the books with its reversal", async () => {
    await context.importJobs([aJob()]);
    const receipt = await bill();
    await markPaid(context, receipt.id, "first", by, 100n);
    await markPaid(context, receipt.id, "second", by);
    await revertManual(context, receipt.id, "typed twice", by);
    expect(await stateOf(receipt.id)).toEqual(["pending", receipt.totalMinor - 100n]);
    await expect(voidReceipt(context, receipt.id, "late", by)).rejects.toThrow("a part of it was paid");
    await revertManual(context, receipt.id, "all of it", by);
    expect(await stateOf(receipt.id)).toEqual(["pending", receipt.totalMinor]);
    await expect(revertManual(context, receipt.id, "again", by)).rejects.toThrow("no payment recorded by hand");
    await voidReceipt(context, receipt.id, "untouched again", by);
  });

  it("cannot be taken back once a credit note or a refund rests on it", async () => {
    await context.importJobs([aJob(), aJob({ user: "bob" })]);
    const [alice, bob] = [await bill("alice"), await bill("bob")];
    await markPaid(context, alice.id, "transfer 1", by);
    await issueCreditNote(context, alice.id, { scope: "lines", amounts: new Map([[1, 10n]]) }, "a bit", by);
    await expect(revertManual(context, alice.id, "oops", by)).rejects.toThrow(
      "credit note CN-2026-000001 came after it",
    );
    await markPaid(context, bob.id, "transfer 2", by, bob.totalMinor + 50n);
    await orderRefund(context.payments, { receiptId: bob.id, amountMinor: 50n, text: "KTB 7" }, by);
    await expect(revertManual(context, bob.id, "oops", by)).rejects.toThrow("no payment recorded by hand");
  });
});
