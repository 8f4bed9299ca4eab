import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { issueReceipt } from "../../src/billing/issue.ts";
import { movementsOf } from "../../src/billing/money-movements.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { revertManual } from "../../src/billing/settle.ts";
import { sql } from "../../src/db/database.ts";
import { dismissLine, importStatement, matchLine, matchOpenLines } from "../../src/payments/bank-import.ts";
import { bankStatements, openBankLines } from "../../src/payments/bank-queries.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";

let context: TestContext;
const by = { actor: "finance" };

beforeEach(async () => {
  context = await createTestContext();
});

afterEach(() => context.close());

interface Issued {
  readonly id: bigint;
  readonly number: string;
  readonly totalMinor: bigint;
}

async function receiptOf(user: string): Promise<Issued> {
  await context.importJobs([aJob({ user })]);
  const receipt = await issueReceipt(context, { userName: user, cutoffDay: "2026-10-31" }, { actor: user });
  if (receipt === undefined) throw new Error("nothing was billed");
  return receipt;
}

const baht = (minor: bigint): string => `${minor / 100n}.${String(minor % 100n).padStart(2, "0")}`;

/** A statement as a bank's CSV; each row is a text and an amount in minor units. */
function csv(rows: readonly (readonly [text: string, minor: bigint])[], day = "2026-11-02"): Uint8Array {
  const lines = rows.map(([text, minor]) =>
    minor < 0n ? `${day},"${text}",${baht(-minor)},` : `${day},"${text}",,${baht(minor)}`,
  );
  return Buffer.from(["Date,Description,Withdrawal,Deposit", ...lines].join("\n"));
}

const take = (bytes: Uint8Array, name = "november.csv") => importStatement(context.payments, { name, bytes }, by);
const doubts = async () => (await openBankLines(context.db, 10)).map(({ doubt, doubtNumber }) => [doubt, doubtNumber]);
const dueOf = async ({ id }: Issued) => (await findReceipt(context.db, id))?.dueMinor;

describe("a bank statement", () => {
  it("settles the receipt that a transfer names, to the satang, and leaves the rest to a human", async () => {
    const [alice, bob, carol] = [await receiptOf("alice"), await receiptOf("bob"), await receiptOf("carol")];
    const plain = alice.number.replaceAll("-", "");
    const result = await take(
      csv([
        [`TRF FROM A. ${plain.toLowerCase()} THANKS`, alice.totalMinor],
        [`PAY ${bob.number}`, bob.totalMinor - 100n],
        ["SALARY", 500_000n],
        ["CLOUD PROVIDER", -120_000n],
      ]),
    );
    expect(result).toMatchObject({ lines: 4, known: 0, matched: 1, open: 2, rejects: 0 });
    expect(await findReceipt(context.db, alice.id)).toMatchObject({
      status: "paid",
      paidMethod: "transfer",
      dueMinor: 0n,
    });
    expect([await dueOf(bob), await dueOf(carol)]).toEqual([bob.totalMinor, carol.totalMinor]);
    expect(await doubts()).toEqual([
      ["other_amount", bob.number],
      ["no_receipt", null],
    ]);
  });

  it("that comes again, or overlaps with another, counts nothing twice", async () => {
    const alice = await receiptOf("alice");
    const row = [`PAY ${alice.number}`, alice.totalMinor] as const;
    await take(csv([row]));
    await expect(take(csv([row]), "again.csv")).rejects.toThrow("was taken in already, on 2026-11-01 by finance");
    expect(await take(csv([row, ["OTHER", 100n]]), "wider.csv")).toMatchObject({
      lines: 2,
      known: 1,
      matched: 0,
      open: 1,
    });
    expect(await movementsOf(context.db, alice.id)).toHaveLength(1);
    expect((await bankStatements(context.db, 5)).map(({ linesKnown }) => linesKnown)).toEqual([1, 0]);
  });

  it("that names two receipts, or a paid one, or the same transfer twice, waits for a human", async () => {
    const [alice, bob] = [await receiptOf("alice"), await receiptOf("bob")];
    await take(
      csv([
        [`${alice.number} AND ${bob.number}`, alice.totalMinor + bob.totalMinor],
        [`PAY ${alice.number} FIRST`, alice.totalMinor],
        [`PAY ${alice.number} SECOND`, alice.totalMinor],
      ]),
    );
    expect(await doubts()).toEqual([
      ["several_receipts", null],
      ["not_open", alice.number],
    ]);
    expect(await dueOf(alice)).toBe(0n);
  });

  it("taken in by two at once is kept once", async () => {
    const alice = await receiptOf("alice");
    const bytes = csv([[`PAY ${alice.number}`, alice.totalMinor]]);
    const results = await Promise.allSettled([take(bytes), take(bytes), take(bytes)]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await movementsOf(context.db, alice.id)).toHaveLength(1);
  });

  it("whose matching was cut short is matched later", async () => {
    const alice = await receiptOf("alice");
    await take(csv([[`PAY ${alice.number}`, alice.totalMinor + 1n]]));
    expect(await dueOf(alice)).toBe(alice.totalMinor);
    // As if the process had died between keeping the lines and matching them.
    await context.db.run(
      sql`UPDATE bank_lines SET amount_minor = ${alice.totalMinor}, doubt = NULL, doubt_number = NULL`,
    );
    expect(await matchOpenLines(context.payments, by)).toBe(1);
    expect(await matchOpenLines(context.payments, by)).toBe(0);
    expect(await dueOf(alice)).toBe(0n);
  });
});

describe("a transfer that a human decides", () => {
  async function openLine(text: string, minor: bigint): Promise<bigint> {
    await take(csv([[text, minor]]));
    const [line] = await openBankLines(context.db, 1);
    return line?.id ?? 0n;
  }

  it("of less than is due leaves the rest, and of more is owed back", async () => {
    const alice = await receiptOf("alice");
    const first = await openLine("NO REFERENCE", alice.totalMinor - 300n);
    await matchLine(context.payments, first, alice.number.toLowerCase(), by);
    expect(await findReceipt(context.db, alice.id)).toMatchObject({ status: "pending", dueMinor: 300n });
    const second = await openLine("THE REST AND MORE", 500n);
    await matchLine(context.payments, second, alice.number, by);
    expect(await findReceipt(context.db, alice.id)).toMatchObject({ status: "paid", dueMinor: -200n });
  });

  it("can be taken back, is open again then, and is not matched by itself any more", async () => {
    const alice = await receiptOf("alice");
    await take(csv([[`PAY ${alice.number}`, alice.totalMinor]]));
    await revertManual(context, alice.id, "it was for another centre", by);
    expect(await dueOf(alice)).toBe(alice.totalMinor);
    const [line] = await openBankLines(context.db, 1);
    expect(line).toMatchObject({ status: "open", note: "it was for another centre" });
    expect(await matchOpenLines(context.payments, by)).toBe(0);
    await dismissLine(context.payments, line?.id ?? 0n, "not ours", by);
    expect(await openBankLines(context.db, 1)).toEqual([]);
  });

  it("is decided once", async () => {
    const [alice, bob] = [await receiptOf("alice"), await receiptOf("bob")];
    const line = await openLine("NO REFERENCE", 100n);
    const results = await Promise.allSettled([
      matchLine(context.payments, line, alice.number, by),
      matchLine(context.payments, line, bob.number, by),
      dismissLine(context.payments, line, "a mistake", by),
    ]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { moved } = await context.db.one(
      z.object({ moved: z.bigint() }),
      sql`SELECT count(*) AS moved FROM money_movements`,
    );
    expect(moved).toBeLessThanOrEqual(1n);
  });

  it("takes the number of a receipt that exists", async () => {
    const line = await openLine("NO REFERENCE", 100n);
    await expect(matchLine(context.payments, line, "R-1999-000001", by)).rejects.toThrow('no receipt "R-1999-000001"');
    await expect(dismissLine(context.payments, line, " ", by)).rejects.toThrow("a reason is needed");
  });
});
