/** How version 2019-05-29 of the API writes what the double keeps; fields that nobody here reads are left out. */
import type { DoubleCharge, DoubleDispute, DoubleEvent, DoubleLink, DoubleRefund } from "./double-books.ts";

function iso(moment: Date): string {
  return moment.toISOString().replace(/\.\d+/u, "");
}

export function linkJson(link: DoubleLink, paymentUri: string): Record<string, unknown> {
  const charges = { offset: 0, limit: 20, order: "chronological", from: new Date(0), to: link.createdAt };
  return {
    object: "link",
    id: link.id,
    livemode: link.livemode,
    location: `/links/${link.id}`,
    amount: link.amount,
    charges: listJson(`/links/${link.id}/charges`, link.charges.map(chargeJson), charges),
    created_at: iso(link.createdAt),
    currency: link.currency,
    deleted: link.deletedAt !== null,
    deleted_at: link.deletedAt === null ? null : iso(link.deletedAt),
    description: link.description,
    multiple: link.multiple,
    payment_uri: paymentUri,
    title: link.title,
    used: link.usedAt !== null,
    used_at: link.usedAt === null ? null : iso(link.usedAt),
  };
}

export function chargeJson(charge: DoubleCharge): Record<string, unknown> {
  return {
    object: "charge",
    id: charge.id,
    livemode: false,
    location: `/charges/${charge.id}`,
    amount: charge.amount,
    capture: true,
    created_at: iso(charge.createdAt),
    currency: charge.currency,
    description: charge.description,
    disputable: charge.status === "successful" && charge.dispute === null,
    dispute: charge.dispute === null ? null : disputeJson(charge.dispute),
    failure_code: charge.failureCode,
    failure_message: charge.failureCode === null ? null : "payment rejected",
    link: charge.link,
    metadata: {},
    paid: charge.status === "successful",
    refunded_amount: charge.refunds
      .filter(({ status }) => status !== "failed")
      .reduce((sum, { amount }) => sum + amount, 0),
    refunds: listJson(`/charges/${charge.id}/refunds`, charge.refunds.map(refundJson), {
      offset: 0,
      limit: 20,
      order: "chronological",
      from: new Date(0),
      to: charge.createdAt,
    }),
    source: charge.method === "promptpay" ? { object: "source", type: "promptpay", flow: "offline" } : null,
    status: charge.status,
  };
}

export function refundJson(refund: DoubleRefund): Record<string, unknown> {
  return {
    object: "refund",
    id: refund.id,
    livemode: false,
    location: `/charges/${refund.charge}/refunds/${refund.id}`,
    amount: refund.amount,
    charge: refund.charge,
    created_at: iso(refund.createdAt),
    currency: refund.currency,
    metadata: refund.metadata,
    status: refund.status,
    voided: false,
  };
}

export function disputeJson(dispute: DoubleDispute): Record<string, unknown> {
  return {
    object: "dispute",
    id: dispute.id,
    livemode: false,
    location: `/disputes/${dispute.id}`,
    amount: dispute.amount,
    charge: dispute.charge,
    created_at: iso(dispute.createdAt),
    currency: dispute.currency,
    metadata: {},
    reason_code: "goods_or_services_not_provided",
    status: dispute.status,
  };
}

export function eventJson(event: DoubleEvent): Record<string, unknown> {
  return {
    object: "event",
    id: event.id,
    livemode: event.livemode,
    location: `/events/${event.id}`,
    created_at: iso(event.createdAt),
    data: event.data,
    key: event.key,
    webhook_deliveries: [],
  };
}

export interface Paging {
  readonly offset: number;
  readonly limit: number;
  readonly order: string;
  readonly from: Date;
  readonly to: Date;
}

/** A page of a list whose items stand in the order in which they were made. */
export function listJson(
  location: string,
  items: readonly Readonly<Record<string, unknown>>[],
  { offset, limit, order, from, to }: Paging,
): Record<string, unknown> {
  const ordered = order === "reverse_chronological" ? items.toReversed() : items;
  const data = ordered.slice(offset, offset + limit);
  return { object: "list", location, data, total: items.length, offset, limit, order, from: iso(from), to: iso(to) };
}
