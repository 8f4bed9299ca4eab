import { z } from "zod";
import { sql, type Actor } from "../db/database.ts";
import { UserError } from "../errors.ts";
import { addDays, monthStart } from "../usage/site-day.ts";
import { issueReceipt, type BillingContext, type IssuedReceipt } from "./issue.ts";

const MONTH = /^(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])$/u;

/** Last day of a month written `YYYY-MM`. @throws {UserError} for anything else. */
export function lastDayOfMonth(month: string): string {
  if (!MONTH.test(month)) throw new UserError(`"${month}" is not a month: write YYYY-MM, such as 2026-10`);
  return addDays(monthStart(`${month}-01`, 1), -1);
}

/**
 * One receipt for every user (or one user) with unbilled jobs that ended up to the end of the month, or with corrections
 * of earlier receipts to settle. Each receipt is
 * a transaction of its own: a run that was killed, or told to stop by the signal, is completed by running it again.
 */
export async function billMonth(
  context: BillingContext,
  request: {
    readonly month: string;
    readonly userName?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  },
  by: Actor,
  onIssued: (receipt: IssuedReceipt, done: number, total: number) => void = () => undefined,
): Promise<IssuedReceipt[]> {
  const cutoffDay = lastDayOfMonth(request.month);
  const userName = request.userName ?? null;
  const users = await context.db.rows(
    z.object({ user_name: z.string() }),
    sql`SELECT user_name FROM (
          SELECT user_name FROM usage_daily WHERE unbilled_jobs > 0 AND day <= ${cutoffDay}
          UNION SELECT user_name FROM corrections WHERE status = 'open') billable
        WHERE ${userName}::text IS NULL OR user_name = ${userName}::text
        ORDER BY user_name`,
  );
  const issued: IssuedReceipt[] = [];
  for (const [index, { user_name }] of users.entries()) {
    if (request.signal?.aborted === true) break;
    const receipt = await issueReceipt(context, { userName: user_name, cutoffDay }, by);
    if (receipt === undefined) continue;
    issued.push(receipt);
    onIssued(receipt, index + 1, users.length);
  }
  return issued;
}
