/** Bank statements: each movement is kept once, and money that names a receipt and its amount settles it. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { lockReceipt, receiptIdOf, type LockedReceipt } from "../billing/locked-receipt.ts";
import { moveMoney } from "../billing/money-movements.ts";
import { requireReason } from "../billing/settle.ts";
import { dueMinor } from "../billing/states.ts";
import { sql, type Actor, type Transaction } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { lineKeys } from "./bank/line-key.ts";
import { readStatement } from "./bank/read-statement.ts";
import { receiptNumbersIn } from "./bank/reference.ts";
import type { BankStatement } from "./bank/statement.ts";
import { bankLineSchema, BANK_LINE_COLUMNS, type BankLineDoubt, type StoredBankLine } from "./bank-queries.ts";
import type { PaymentContext } from "./context.ts";

/** What a statement brought. */
export interface StatementImport {
  readonly id: bigint;
  readonly lines: number;
  /** Those that an earlier statement had already. */
  readonly known: number;
  readonly matched: number;
  /** Wait for somebody. */
  readonly open: number;
  readonly rejects: number;
}

/** A year of a busy account. */
const MOST_LINES = 50_000;
const LINES_AT_A_TIME = 1_000;

/**
 * Takes in a statement: its new lines are kept, then matched one by one. Killed anywhere, what was kept stays, and the rest
 * is matched by the next import or by `matchOpenLines`.
 *
 * @throws {UserError} for a file that cannot be read, says what is accepted.
 * @throws {ConflictError} for a file that was taken in before.
 */
export async function importStatement(
  context: PaymentContext,
  file: { readonly name: string; readonly bytes: Uint8Array },
  by: Actor,
): Promise<StatementImport> {
  const statement = readStatement(file.bytes, { currency: context.currency });
  if (statement.lines.length > MOST_LINES)
    throw new UserError(`the statement has ${statement.lines.length} lines; it takes at most ${MOST_LINES} at a time`);
  const sha256 = createHash("sha256").update(file.bytes).digest("hex");
  const kept = await keep(context, { ...file, sha256, statement }, by);
  const matched = await matchOpenLines(context, by, kept.id);
  return {
    id: kept.id,
    lines: statement.lines.length,
    known: kept.known,
    matched,
    open: kept.incoming - matched,
    rejects: statement.rejects.length,
  };
}

interface KeptFile {
  readonly name: string;
  readonly sha256: string;
  readonly statement: BankStatement;
}

function keep(
  { db, clock }: PaymentContext,
  { name, sha256, statement }: KeptFile,
  by: Actor,
): Promise<{ readonly id: bigint; readonly known: number; readonly incoming: number }> {
  const keys = lineKeys(statement);
  return db.transaction(async (tx) => {
    const { id } = await insertStatement(tx, { name, sha256, statement }, by, clock.now());
    let added = 0;
    let incoming = 0;
    for (let first = 0; first < keys.length; first += LINES_AT_A_TIME) {
      const lines = statement.lines.slice(first, first + LINES_AT_A_TIME);
      const rows = await tx.rows(
        z.object({ status: z.string() }),
        sql`INSERT INTO bank_lines (statement_id, position, line_key, booked_on, amount_minor, currency, text, bank_reference,
                                    counterparty, status)
            SELECT ${id}::bigint, ${first}::int + l.ordinality, l.key, l.booked_on, l.amount, l.currency, l.text, l.reference, l.party,
                   CASE WHEN l.amount > 0 OR l.is_reversal THEN 'open' ELSE 'outgoing' END
            FROM unnest(${keys.slice(first, first + LINES_AT_A_TIME)}::text[], ${lines.map((one) => one.bookedOn)}::date[],
                        ${lines.map((one) => one.amountMinor.toString())}::bigint[], ${lines.map((one) => one.currency)}::text[],
                        ${lines.map((one) => storable(one.text))}::text[], ${lines.map((one) => storable(one.bankReference))}::text[],
                        ${lines.map((one) => storable(one.counterparty))}::text[], ${lines.map((one) => one.isReversal)}::boolean[])
                   WITH ORDINALITY AS l (key, booked_on, amount, currency, text, reference, party, is_reversal)
            ON CONFLICT (line_key) DO NOTHING RETURNING status`,
      );
      added += rows.length;
      incoming += rows.filter(({ status }) => status === "open").length;
    }
    const known = keys.length - added;
    await tx.run(sql`UPDATE bank_statements SET lines_known = ${known} WHERE id = ${id}`);
    tx.audit({
      ...by,
      action: "statement.imported",
      subject: `statement:${id}`,
      details: { file: name, format: statement.format, account: statement.account, lines: keys.length, known, sha256 },
    });
    return { id, known, incoming };
  });
}

/** The database knows no NUL. */
function storable(text: string): string {
  return text.replaceAll("\0", "");
}

async function insertStatement(
  tx: Transaction,
  { name, sha256, statement }: KeptFile,
  by: Actor,
  now: Date,
): Promise<{ readonly id: bigint }> {
  const added = await tx.maybeOne(
    z.object({ id: z.bigint() }),
    sql`INSERT INTO bank_statements (file_name, format, account, sha256, imported_at, imported_by, lines_read, lines_known, rejects)
        VALUES (${name.slice(0, 200)}, ${statement.format}, ${statement.account}, ${sha256}, ${now}, ${by.actor},
                ${statement.lines.length}, 0, ${JSON.stringify(statement.rejects)})
        ON CONFLICT (sha256) DO NOTHING RETURNING id`,
  );
  if (added !== undefined) return added;
  const before = await tx.one(
    z.object({ imported_at: z.date(), imported_by: z.string() }),
    sql`SELECT imported_at, imported_by FROM bank_statements WHERE sha256 = ${sha256}`,
  );
  throw new ConflictError(
    `this file was taken in already, on ${before.imported_at.toISOString().slice(0, 10)} by ${before.imported_by}`,
  );
}

/**
 * Tries to match lines that nobody has decided: of one statement, or of all.
 * @returns how many were matched.
 */
export async function matchOpenLines(context: PaymentContext, by: Actor, statementId?: bigint): Promise<number> {
  let matched = 0;
  let after = 0n;
  for (;;) {
    const ofStatement = statementId === undefined ? sql`true` : sql`statement_id = ${statementId}`;
    const page = await context.db.rows(
      bankLineSchema,
      sql`SELECT ${BANK_LINE_COLUMNS} FROM bank_lines l
          WHERE l.status = 'open' AND l.decided_at IS NULL AND ${ofStatement} AND l.id > ${after}
          ORDER BY l.id LIMIT ${LINES_AT_A_TIME}`,
    );
    for (const line of page) if (await matchByItself(context, line, by)) matched++;
    after = page.at(-1)?.id ?? after;
    if (page.length < LINES_AT_A_TIME) return matched;
  }
}

/** Settles a line if it names one receipt and exactly what is due on it; else keeps why it did not. */
async function matchByItself(context: PaymentContext, line: StoredBankLine, by: Actor): Promise<boolean> {
  const known: bigint[] = [];
  for (const number of receiptNumbersIn(`${line.text} ${line.bankReference}`)) {
    const id = await receiptIdOf(context.db, number);
    if (id !== undefined) known.push(id);
  }
  return context.db.transaction(async (tx) => {
    const [only, another] = known;
    const receipt = only === undefined || another !== undefined ? undefined : await lockReceipt(tx, only);
    const current = await lockLine(tx, line.id);
    if (current?.status !== "open") return false;
    const doubt = receipt === undefined ? doubtAboutNumbers(known.length) : doubtAbout(line, receipt);
    if (receipt === undefined || doubt !== null) {
      await tx.run(
        sql`UPDATE bank_lines SET doubt = ${doubt}, doubt_number = ${receipt?.number ?? null}
            WHERE id = ${line.id} AND (doubt, doubt_number) IS DISTINCT FROM (${doubt}::text, ${receipt?.number ?? null}::text)`,
      );
      return false;
    }
    await assign(context, tx, current, receipt, by);
    return true;
  });
}

function doubtAboutNumbers(count: number): BankLineDoubt {
  return count === 0 ? "no_receipt" : "several_receipts";
}

function doubtAbout(line: StoredBankLine, receipt: LockedReceipt): BankLineDoubt | null {
  if (line.amountMinor < 0n) return "takes_back";
  if (line.currency !== receipt.currency) return "other_currency";
  if (receipt.status !== "pending") return "not_open";
  return dueMinor(receipt, receipt.status) === line.amountMinor ? null : "other_amount";
}

function lockLine(tx: Transaction, id: bigint): Promise<StoredBankLine | undefined> {
  return tx.maybeOne(bankLineSchema, sql`SELECT ${BANK_LINE_COLUMNS} FROM bank_lines l WHERE l.id = ${id} FOR UPDATE`);
}

async function assign(
  context: PaymentContext,
  tx: Transaction,
  line: StoredBankLine,
  receipt: LockedReceipt,
  by: Actor,
): Promise<void> {
  const now = context.clock.now();
  await tx.run(
    sql`UPDATE bank_lines SET status = 'matched', receipt_id = ${receipt.id}, decided_by = ${by.actor}, decided_at = ${now}, doubt = NULL,
          doubt_number = NULL, note = ''
        WHERE id = ${line.id}`,
  );
  const { amountMinor, currency, bankReference, bookedOn } = line;
  const reference = bankReference === "" ? `bank line ${line.id} of ${bookedOn}` : bankReference;
  await moveMoney(
    tx,
    receipt,
    { source: { kind: "transfer", bankLineId: line.id }, amountMinor, currency, at: now, reference },
    by,
  );
}

/**
 * Somebody says which receipt a line pays. Less than is due leaves the rest to be paid, more is owed back.
 * @throws {ConflictError} when the line was decided meanwhile, or is no money that came in.
 */
export async function matchLine(context: PaymentContext, lineId: bigint, number: string, by: Actor): Promise<void> {
  const receiptId = await receiptIdOf(context.db, number);
  if (receiptId === undefined) throw new UserError(`there is no receipt "${number.trim()}"`);
  await context.db.transaction(async (tx) => {
    const receipt = await lockReceipt(tx, receiptId);
    const line = await requireOpen(tx, lineId);
    if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
    if (line.amountMinor <= 0n) throw new ConflictError("this line is no money that came in");
    await assign(context, tx, line, receipt, by);
  });
}

/** Somebody says that a line has nothing to do with receipts. */
export async function dismissLine(context: PaymentContext, lineId: bigint, reason: string, by: Actor): Promise<void> {
  const note = requireReason(reason);
  await context.db.transaction(async (tx) => {
    const line = await requireOpen(tx, lineId);
    await tx.run(
      sql`UPDATE bank_lines SET status = 'dismissed', note = ${note}, decided_by = ${by.actor}, decided_at = ${context.clock.now()}
          WHERE id = ${line.id}`,
    );
    tx.audit({ ...by, action: "bank_line.dismissed", subject: `bank_line:${line.id}`, details: { reason: note } });
  });
}

async function requireOpen(tx: Transaction, id: bigint): Promise<StoredBankLine> {
  const line = await lockLine(tx, id);
  if (line === undefined) throw new UserError("there is no such line of a statement", { status: 404 });
  if (line.status !== "open") throw new ConflictError(`this line is ${line.status} already`);
  return line;
}
