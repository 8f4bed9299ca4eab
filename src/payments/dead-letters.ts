/** What providers sent and could not be settled: looked at by an admin, who has it tried again or sets it aside. */
import { z } from "zod";
import { sql, type Actor, type Queries } from "../db/database.ts";
import { ConflictError, UserError } from "../errors.ts";
import { requireReason } from "../billing/settle.ts";
import type { PaymentContext } from "./context.ts";

const letterSchema = z
  .object({
    id: z.bigint(),
    provider: z.string(),
    received_at: z.date(),
    status: z.enum(["waiting", "done", "dead", "dismissed"]),
    attempts: z.number(),
    next_attempt_at: z.date().nullable(),
    reason: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    provider: row.provider,
    receivedAt: row.received_at,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    reason: row.reason,
  }));

/** Something that a provider sent, and how far it came. */
export type KeptDelivery = z.output<typeof letterSchema>;

const COLUMNS = sql`id, provider, received_at, status, attempts, next_attempt_at, reason`;

/** Deliveries that somebody has to look at: the newest, for whoever works on them sees the next ones. */
export function deadLetters(queries: Queries, limit: number): Promise<KeptDelivery[]> {
  return queries.rows(
    letterSchema,
    sql`SELECT ${COLUMNS} FROM webhook_deliveries WHERE status = 'dead' ORDER BY id DESC LIMIT ${limit}`,
  );
}

/** Deliveries that wait for their next attempt, the longest waiting first. */
export function waitingDeliveries(queries: Queries, limit: number): Promise<KeptDelivery[]> {
  return queries.rows(
    letterSchema,
    sql`SELECT ${COLUMNS} FROM webhook_deliveries WHERE status = 'waiting' ORDER BY next_attempt_at LIMIT ${limit}`,
  );
}

export function findDelivery(queries: Queries, id: bigint): Promise<KeptDelivery | undefined> {
  return queries.maybeOne(letterSchema, sql`SELECT ${COLUMNS} FROM webhook_deliveries WHERE id = ${id}`);
}

/** The body as it was sent, with the headers that its signature was checked with. */
export function contentOf(
  queries: Queries,
  id: bigint,
): Promise<{ readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }> {
  return queries.one(
    z.object({ body: z.instanceof(Buffer), headers: z.record(z.string(), z.string()) }),
    sql`SELECT body, headers FROM webhook_deliveries WHERE id = ${id}`,
  );
}

/** Numbers for pages and metrics. */
export function deliveryCounts(queries: Queries): Promise<{ readonly dead: bigint; readonly waiting: bigint }> {
  return queries.one(
    z.object({ dead: z.bigint(), waiting: z.bigint() }),
    sql`SELECT (SELECT count(*) FROM webhook_deliveries WHERE status = 'dead') AS dead,
               (SELECT count(*) FROM webhook_deliveries WHERE status = 'waiting') AS waiting`,
  );
}

/** Has a delivery tried again from the start, whatever came of it before: what took effect does so once only. */
export function replayDelivery(context: PaymentContext, id: bigint, by: Actor): Promise<void> {
  return change(context, id, { to: "waiting", action: "webhook.replayed" }, by);
}

/** Sets a dead letter aside: somebody looked at it, and nothing is to be done. */
export async function dismissDelivery(context: PaymentContext, id: bigint, reason: string, by: Actor): Promise<void> {
  await change(context, id, { to: "dismissed", action: "webhook.dismissed", reason: requireReason(reason) }, by);
}

interface Change {
  readonly to: "waiting" | "dismissed";
  readonly action: string;
  readonly reason?: string;
}

async function change(
  { db, clock }: PaymentContext,
  id: bigint,
  { to, action, reason }: Change,
  by: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const found = await tx.maybeOne(
      letterSchema,
      sql`SELECT ${COLUMNS} FROM webhook_deliveries WHERE id = ${id} FOR UPDATE`,
    );
    if (found === undefined) throw new UserError("there is no such delivery", { status: 404 });
    if (found.status === "waiting") throw new ConflictError("it waits to be tried anyway");
    if (to === "dismissed" && found.status !== "dead") throw new ConflictError(`it is ${found.status} already`);
    await tx.run(
      sql`UPDATE webhook_deliveries
          SET status = ${to}, attempts = ${to === "waiting" ? 0 : found.attempts},
              next_attempt_at = ${to === "waiting" ? clock.now() : null}, reason = ${reason ?? found.reason}
          WHERE id = ${id}`,
    );
    tx.audit({
      ...by,
      action,
      subject: `webhook:${id}`,
      details: { provider: found.provider, before: found.status, after: to, reason: reason ?? undefined },
    });
  });
}
