/** What must hold after every step, and what must hold once everything has come to rest. */
import { expect } from "vitest";
import { z } from "zod";
import { sql } from "../../../src/db/database.ts";
import type { World } from "./world.ts";

const big = z.string().transform((text) => BigInt(text));

const receiptSchema = z.object({
  number: z.string(),
  status: z.enum(["pending", "paid", "void"]),
  total_minor: z.bigint(),
  credited_minor: z.bigint(),
  received_minor: z.bigint(),
  movements: big,
  notes: big,
  audited_moves: z.bigint(),
  moves: z.bigint(),
  paid: z.bigint(),
  reopened: z.bigint(),
  voided: z.bigint(),
  issued: z.bigint(),
});

/** Money is conserved, and every change of it stands in the trail. */
export async function expectInvariants(world: World): Promise<void> {
  const receipts = await world.db.rows(
    receiptSchema,
    sql`SELECT r.number, r.status, r.total_minor, r.credited_minor, r.received_minor,
               (SELECT coalesce(sum(amount_minor), 0)::text FROM money_movements WHERE receipt_id = r.id) AS movements,
               (SELECT coalesce(sum(total_minor), 0)::text FROM credit_notes WHERE receipt_id = r.id) AS notes,
               (SELECT count(*) FROM money_movements WHERE receipt_id = r.id) AS moves,
               a.*
        FROM receipts r
        CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE action LIKE 'money.%') AS audited_moves, count(*) FILTER (WHERE action = 'receipt.paid') AS paid,
                 count(*) FILTER (WHERE action = 'receipt.reopened') AS reopened,
                 count(*) FILTER (WHERE action = 'receipt.voided') AS voided,
                 count(*) FILTER (WHERE action = 'receipt.issued') AS issued
          FROM audit_log WHERE subject = 'receipt:' || r.number
        ) a
        WHERE r.user_name = ${world.user}`,
  );
  for (const receipt of receipts) {
    const { number, status } = receipt;
    const asked = status === "void" ? 0n : receipt.total_minor;
    const due = asked - receipt.credited_minor - receipt.received_minor;
    expect([number, receipt.received_minor, receipt.credited_minor]).toEqual([
      number,
      receipt.movements,
      receipt.notes,
    ]);
    if (status !== "void") expect([number, status]).toEqual([number, due > 0n ? "pending" : "paid"]);
    expect([number, receipt.audited_moves, receipt.issued]).toEqual([number, receipt.moves, 1n]);
    // Paid once, unless it was open again in between.
    expect([number, receipt.paid - receipt.reopened]).toEqual([number, status === "paid" ? 1n : 0n]);
    expect([number, receipt.voided]).toEqual([number, status === "void" ? 1n : 0n]);
  }
  expect(await wrongPayments(world)).toEqual([]);
}

/** Payments, refunds and disputes whose money is not, or not once, in the books. */
function wrongPayments(world: World): Promise<unknown[]> {
  return world.db.rows(
    z.unknown(),
    sql`SELECT p.external_payment_id, p.status, p.amount_minor, m.paid_in, m.back FROM payments p JOIN receipts r ON r.id = p.receipt_id
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(m.amount_minor) FILTER (WHERE m.payment_id = p.id), 0)::bigint AS paid_in,
                 count(*) FILTER (WHERE m.payment_id = p.id) AS times,
                 coalesce(sum(m.amount_minor) FILTER (WHERE f.payment_id = p.id OR d.payment_id = p.id), 0)::bigint AS back
          FROM money_movements m LEFT JOIN refunds f ON f.id = m.refund_id LEFT JOIN disputes d ON d.id = m.dispute_id
          WHERE m.receipt_id = r.id
        ) m
        WHERE r.user_name = ${world.user}
          AND (m.times > 1 OR m.paid_in <> CASE p.status WHEN 'succeeded' THEN p.amount_minor ELSE 0 END
               OR m.back <> -((SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE payment_id = p.id AND status = 'succeeded')
                            + (SELECT coalesce(sum(amount_minor), 0) FROM disputes WHERE payment_id = p.id AND status = 'lost')))`,
  );
}

/** Once every event has arrived and every question was answered, our books are the providers'. */
export async function expectRest(world: World): Promise<void> {
  await expectInvariants(world);
  const ours = await world.db.rows(
    z.object({ id: z.string(), net: z.bigint() }),
    sql`SELECT p.external_payment_id AS id,
               (CASE p.status WHEN 'succeeded' THEN p.amount_minor ELSE 0 END
                - (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE payment_id = p.id AND status = 'succeeded')
                - (SELECT coalesce(sum(amount_minor), 0) FROM disputes WHERE payment_id = p.id AND status = 'lost'))::bigint AS net
        FROM payments p JOIN receipts r ON r.id = p.receipt_id WHERE r.user_name = ${world.user}`,
  );
  const theirs = world.paperPayments().map(({ provider, id }) => [id, netOf(provider.payments.get(id))]);
  // A checkout that we died over before writing it down was shown to nobody.
  const known = new Map(ours.map(({ id, net }) => [id, net]));
  expect(ours.map(({ id, net }) => [id, net])).toEqual(
    ours.map(({ id }) => [id, new Map(theirs.map(([a, b]) => [a, b])).get(id)]),
  );
  expect([...known.keys()].every((id) => theirs.some(([other]) => other === id))).toBe(true);
  const left = await world.db.rows(
    z.unknown(),
    sql`SELECT 'delivery' AS what, id, reason FROM webhook_deliveries
        WHERE status = 'waiting' AND provider = ANY(${world.providers.map(({ name }) => name)}::text[])
        UNION ALL SELECT 'refund', id, failure FROM refunds WHERE status = 'requested' AND provider = ANY(${world.providers.map(({ name }) => name)}::text[])`,
  );
  expect(left).toEqual([]);
}

function netOf(payment: ReturnType<World["providers"][number]["payments"]["get"]>): bigint {
  if (payment?.status !== "succeeded") return 0n;
  const refunds = [...payment.refunds.values()].filter(({ status }) => status === "succeeded");
  const disputes = [...payment.disputes.values()].filter(({ status }) => status === "lost");
  return [...refunds, ...disputes].reduce((net, one) => net - one.amountMinor, payment.amountMinor);
}
