/** Checkout Sessions and what becomes of them. Source: docs.stripe.com/api/checkout/sessions. */
import { randomBytes } from "node:crypto";
import type { Stripe } from "stripe";
import type { Clock } from "../../../src/clock.ts";
import type { SessionRequest } from "./session-request.ts";

/** The part of a dispute that is spoken of here; the rest is evidence. */
export type KeptDispute = Pick<
  Stripe.Dispute,
  | "id"
  | "object"
  | "amount"
  | "charge"
  | "currency"
  | "is_charge_refundable"
  | "livemode"
  | "metadata"
  | "payment_intent"
  | "reason"
  | "status"
>;

/** A session, what the API shows of its payment intent when that is expanded, and what became of its money. */
export interface KeptSession {
  session: Stripe.Checkout.Session;
  readonly name: string;
  readonly intentMetadata: Readonly<Record<string, string>>;
  intentStatus: Stripe.PaymentIntent.Status | null;
  /** Null until somebody pays. */
  chargeId: string | null;
  /** Oldest first. */
  readonly refunds: Stripe.Refund[];
  readonly disputes: KeptDispute[];
}

const DAY_SECONDS = 86_400;

/** Every field that the vendor's types ask for, so that the compiler holds the double against the published API. */
export function openSession(request: SessionRequest, clock: Clock, origin: string): KeptSession {
  const id = newId("cs_test");
  const created = Math.floor(clock.now().getTime() / 1000);
  const session: Stripe.Checkout.Session = {
    ...EMPTY,
    id,
    amount_subtotal: request.amount,
    amount_total: request.amount,
    cancel_url: request.cancelUrl,
    client_reference_id: request.reference,
    created,
    currency: request.currency,
    expires_at: created + DAY_SECONDS,
    locale: request.locale,
    metadata: { ...request.metadata },
    success_url: request.successUrl,
    url: `${origin}/c/pay/${id}`,
  };
  const { name, intentMetadata } = request;
  return { session, name, intentMetadata, intentStatus: null, chargeId: null, refunds: [], disputes: [] };
}

/** An id as Stripe makes them. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString("hex")}`;
}

const EMPTY: Stripe.Checkout.Session = {
  id: "",
  object: "checkout.session",
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  amount_subtotal: 0,
  amount_total: 0,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  cancel_url: null,
  client_reference_id: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  created: 0,
  currency: "thb",
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer: null,
  customer_account: null,
  customer_creation: "if_required",
  customer_details: null,
  customer_email: null,
  discounts: [],
  expires_at: 0,
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  locale: "en",
  managed_payments: null,
  metadata: {},
  mode: "payment",
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: "if_required",
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ["card", "promptpay"],
  payment_status: "unpaid",
  permissions: null,
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: "open",
  submit_type: null,
  subscription: null,
  success_url: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: "hosted_page",
  url: null,
  wallet_options: null,
};
