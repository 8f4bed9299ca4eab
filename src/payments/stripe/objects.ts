/** What Stripe's objects have in common, as far as we read them. */
import { z } from "zod";
import { UpstreamError } from "../../errors.ts";
import { fromStripeAmount } from "./amount.ts";

/** Ids of Stripe's objects; nothing else may come near our tables and pages. */
export const stripeId = z.string().regex(/^\w{1,255}$/u, "not an id of Stripe");

/** An amount of Stripe's in our minor units; one that does not exist is an issue of the object it stands in. */
export function readAmount(amount: number, currencyCode: string, issues: z.RefinementCtx): bigint {
  const amountMinor = fromStripeAmount(amount, currencyCode);
  if (amountMinor !== undefined) return amountMinor;
  issues.addIssue({ code: "custom", message: `there is no amount ${amount} in ${currencyCode}` });
  return z.NEVER;
}

/** @throws {UpstreamError} for an answer that is not what it should be; `what` completes "Stripe could not …". */
export function readAnswer<Read>(schema: z.ZodType<Read>, answer: unknown, what: string): Read {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new UpstreamError(`Stripe could not ${what}: its answer cannot be read: ${firstIssue(read.error)}`);
}

/** The first thing that did not fit, for people. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "not as expected"}`;
}
