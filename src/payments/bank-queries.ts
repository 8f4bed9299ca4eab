/** Reads bank statements and their lines. */
import { z } from "zod";
import { sql, type Queries } from "../db/database.ts";

const doubtSchema = z.enum([
  "no_receipt",
  "several_receipts",
  "other_amount",
  "other_currency",
  "not_open",
  "takes_back",
]);

/** Why a line waits for somebody. */
export type BankLineDoubt = z.output<typeof doubtSchema>;

export const bankLineSchema = z
  .object({
    id: z.bigint(),
    statement_id: z.bigint(),
    booked_on: z.string(),
    amount_minor: z.bigint(),
    currency: z.string(),
    text: z.string(),
    bank_reference: z.string(),
    counterparty: z.string(),
    status: z.enum(["open", "matched", "dismissed", "outgoing"]),
    receipt_id: z.bigint().nullable(),
    doubt: doubtSchema.nullable(),
    doubt_number: z.string().nullable(),
    note: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    statementId: row.statement_id,
    bookedOn: row.booked_on,
    amountMinor: row.amount_minor,
    currency: row.currency,
    text: row.text,
    bankReference: row.bank_reference,
    counterparty: row.counterparty,
    status: row.status,
    receiptId: row.receipt_id,
    /** Why it was not matched by itself. */
    doubt: row.doubt,
    /** Of the receipt that it names, if it names one. */
    doubtNumber: row.doubt_number,
    /** What somebody said who set it aside, or took a match back. */
    note: row.note,
  }));

/** A movement on the bank's statement. */
export type StoredBankLine = z.output<typeof bankLineSchema>;

/** Select list of `bankLineSchema`, of `bank_lines l`. */
export const BANK_LINE_COLUMNS = sql`l.id, l.statement_id, l.booked_on::text AS booked_on, l.amount_minor, l.currency, l.text,
  l.bank_reference, l.counterparty, l.status, l.receipt_id, l.doubt, l.doubt_number, l.note`;

/** Lines that wait for somebody: the oldest, for whoever decides them sees the next ones. */
export function openBankLines(queries: Queries, limit: number): Promise<StoredBankLine[]> {
  return queries.rows(
    bankLineSchema,
    sql`SELECT ${BANK_LINE_COLUMNS} FROM bank_lines l WHERE l.status = 'open' ORDER BY l.id LIMIT ${limit}`,
  );
}

export function findBankLine(queries: Queries, id: bigint): Promise<StoredBankLine | undefined> {
  return queries.maybeOne(bankLineSchema, sql`SELECT ${BANK_LINE_COLUMNS} FROM bank_lines l WHERE l.id = ${id}`);
}

/** Receipts that wait for exactly this amount, oldest first: what a line without a number may be for. */
export function receiptsWaitingFor(
  queries: Queries,
  line: Pick<StoredBankLine, "amountMinor" | "currency">,
  limit: number,
): Promise<{ readonly number: string; readonly userName: string }[]> {
  return queries.rows(
    z
      .object({ number: z.string(), user_name: z.string() })
      .transform((row) => ({ number: row.number, userName: row.user_name })),
    sql`SELECT number, user_name FROM receipts
        WHERE status = 'pending' AND currency = ${line.currency}
          AND total_minor - credited_minor - received_minor = ${line.amountMinor}
        ORDER BY id LIMIT ${limit}`,
  );
}

const statementSchema = z
  .object({
    id: z.bigint(),
    file_name: z.string(),
    format: z.string(),
    account: z.string(),
    imported_at: z.date(),
    imported_by: z.string(),
    lines_read: z.number(),
    lines_known: z.number(),
    matched: z.bigint().transform(Number),
    open: z.bigint().transform(Number),
    rejects: z.array(z.object({ place: z.string(), reason: z.string() })),
  })
  .transform((row) => ({
    id: row.id,
    fileName: row.file_name,
    format: row.format,
    account: row.account,
    importedAt: row.imported_at,
    importedBy: row.imported_by,
    linesRead: row.lines_read,
    linesKnown: row.lines_known,
    matched: row.matched,
    open: row.open,
    rejects: row.rejects,
  }));

/** A statement that was taken in, with what became of its lines. */
export type StoredStatement = z.output<typeof statementSchema>;

const STATEMENTS = sql`SELECT s.id, s.file_name, s.format, s.account, s.imported_at, s.imported_by, s.lines_read, s.lines_known, s.rejects,
    (SELECT count(*) FROM bank_lines WHERE statement_id = s.id AND status = 'matched') AS matched,
    (SELECT count(*) FROM bank_lines WHERE statement_id = s.id AND status = 'open') AS open
  FROM bank_statements s`;

/** The newest statements. */
export function bankStatements(queries: Queries, limit: number): Promise<StoredStatement[]> {
  return queries.rows(statementSchema, sql`${STATEMENTS} ORDER BY s.id DESC LIMIT ${limit}`);
}

export function findStatement(queries: Queries, id: bigint): Promise<StoredStatement | undefined> {
  return queries.maybeOne(statementSchema, sql`${STATEMENTS} WHERE s.id = ${id}`);
}

/** Lines of a statement in their order, behind a position. */
export function linesOfStatement(
  queries: Queries,
  statementId: bigint,
  page: { readonly limit: number; readonly after?: bigint | undefined },
): Promise<StoredBankLine[]> {
  return queries.rows(
    bankLineSchema,
    sql`SELECT ${BANK_LINE_COLUMNS} FROM bank_lines l
        WHERE l.statement_id = ${statementId} AND l.id > ${page.after ?? 0n} ORDER BY l.id LIMIT ${page.limit}`,
  );
}

export async function openBankLineCount(queries: Queries): Promise<number> {
  const { count } = await queries.one(
    z.object({ count: z.bigint() }),
    sql`SELECT count(*) AS count FROM bank_lines WHERE status = 'open'`,
  );
  return Number(count);
}
