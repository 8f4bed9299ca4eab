/**
 * What Omise answers and reports, as far as we read it: https://docs.omise.co/links-api, /charges-api, /refunds-api,
 * /disputes-api, /events-api and /api-errors, version 2019-05-29. Events come in the account's own version, in which currencies may be in lower case.
 */
import { z } from "zod";

/** Ids and event names go into the database and into addresses: nothing but the letters they are made of. */
const nameSchema = z.string().regex(/^[\w.-]{1,200}$/u);

/** An object's id; some answers hold the whole object in its place. */
const referenceSchema = z.union([nameSchema, z.object({ id: nameSchema }).transform(({ id }) => id)]);

/** In the currency's smallest unit. */
const amountSchema = z.int().nonnegative().transform(BigInt);

const currencySchema = z
  .string()
  .regex(/^[A-Za-z]{3}$/u)
  .transform((code) => code.toUpperCase());

export const chargeSchema = z
  .object({
    id: nameSchema,
    amount: amountSchema,
    currency: currencySchema,
    /** pending, successful, failed, expired or reversed. */
    status: z.string(),
    /** The link it was paid through; absent where there is none. */
    link: referenceSchema.nullish(),
  })
  .transform(({ amount, ...charge }) => ({ ...charge, amountMinor: amount }));

export type OmiseCharge = z.output<typeof chargeSchema>;

export const linkSchema = z
  .object({
    id: nameSchema,
    livemode: z.boolean(),
    amount: amountSchema,
    currency: currencySchema,
    used: z.boolean(),
    deleted: z.boolean().default(false),
    description: z.string(),
    payment_uri: z.url({ protocol: /^https?$/u }),
    created_at: z.iso.datetime({ offset: true }),
    charges: z.object({ data: z.array(chargeSchema), total: z.int().nonnegative() }),
  })
  .transform((link) => ({
    id: link.id,
    isLive: link.livemode,
    amountMinor: link.amount,
    currency: link.currency,
    isUsed: link.used,
    isDeleted: link.deleted,
    description: link.description,
    paymentUrl: link.payment_uri,
    createdAt: new Date(link.created_at),
    /** The first of them, in the order in which they were made. */
    charges: link.charges.data,
    chargesInAll: link.charges.total,
  }));

export type OmiseLink = z.output<typeof linkSchema>;

/** A page of the account's links; null stands for one that we cannot read, and so did not make. */
export const linksSchema = z.object({ data: z.array(linkSchema.nullable().catch(null)) });

export const deletedSchema = z.object({ deleted: z.literal(true) });

export const chargesSchema = z.object({ data: z.array(chargeSchema) });

/** Metadata of a refund that was made in the dashboard is empty, or other people's. */
const refundMetadataSchema = z
  .object({ refund: z.string().regex(/^\d{1,18}$/u) })
  .transform(({ refund }) => BigInt(refund))
  .nullish()
  .catch(null);

export const refundSchema = z
  .object({
    id: nameSchema,
    amount: amountSchema,
    currency: currencySchema,
    /** pending, closed or failed. */
    status: z.string().nullish(),
    metadata: refundMetadataSchema,
  })
  .transform(({ amount, metadata, ...refund }) => ({ ...refund, amountMinor: amount, refundId: metadata ?? null }));

export type OmiseRefund = z.output<typeof refundSchema>;

export const refundsSchema = z.object({ data: z.array(refundSchema) });

/** A charge's dispute, which stands in the charge as a whole. */
export const disputedChargeSchema = z.object({
  dispute: z
    .object({
      id: nameSchema,
      amount: amountSchema,
      currency: currencySchema,
      /** open, pending, won or lost. */
      status: z.string(),
    })
    .nullish(),
});

export const errorSchema = z.object({ object: z.literal("error"), code: z.string(), message: z.string() });

export const eventSchema = z.object({
  object: z.literal("event"),
  id: nameSchema,
  livemode: z.boolean(),
  key: nameSchema,
  data: z.unknown(),
});

/** What an event that tells of no charge is about, as far as it can be told; never a reason to refuse it. */
export const subjectSchema = z
  .object({
    id: nameSchema.optional().catch(undefined),
    charge: referenceSchema.optional().catch(undefined),
    link: referenceSchema.optional().catch(undefined),
    amount: amountSchema.optional().catch(undefined),
    currency: currencySchema.optional().catch(undefined),
  })
  .catch({ id: undefined, charge: undefined, link: undefined, amount: undefined, currency: undefined });
