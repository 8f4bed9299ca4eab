/** What went wrong at Stripe, in plain words. Source: docs.stripe.com/error-handling. */
import { z } from "zod";
import { messageOf, UpstreamError, UserError } from "../../errors.ts";

/** Secret and restricted keys, also as Stripe masks them in its own messages. */
const KEYS = /\b[rs]k_[\w*]+/gu;

/** The vendor's errors, known by their type so that its client need not be loaded to tell them apart. */
const stripeErrorSchema = z.object({
  type: z.string().startsWith("Stripe"),
  code: z.string().optional().catch(undefined),
  statusCode: z.int().optional().catch(undefined),
  requestId: z.string().optional().catch(undefined),
  headers: z.object({ "retry-after": z.string().optional() }).optional().catch(undefined),
});

type StripeError = z.output<typeof stripeErrorSchema>;

/** Runs a call to Stripe. @throws {UpstreamError} for whatever goes wrong; `what` completes "Stripe could not …". */
export async function askStripe<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    // It has been told already.
    if (error instanceof UpstreamError) throw error;
    // The vendor's error is not passed on as the cause: it holds the raw answer, which is not ours to log.
    throw new UpstreamError(told(what, error));
  }
}

/**
 * Runs a call whose refusal is an answer.
 * @throws {UserError} when Stripe refuses for good, so that nothing was done.
 * @throws {UpstreamError} when it is not known whether it was done, or it may be done later.
 */
export async function requestOfStripe<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (isRefusal(error)) throw new UserError(told(what, error), { status: 422 });
    throw new UpstreamError(told(what, error));
  }
}

/** True when Stripe says that it knows no object of this id. */
export function isMissing(error: unknown): boolean {
  return stripeErrorSchema.safeParse(error).data?.code === "resource_missing";
}

/**
 * True when Stripe looked at what it was asked and says no to just that. A key that may not do this, too many requests,
 * an idempotency key in use and an address that is unknown there (as behind a wrong proxy) can all be put right.
 */
export function isRefusal(error: unknown): boolean {
  const known = stripeErrorSchema.safeParse(error).data;
  if (known?.type !== "StripeInvalidRequestError" && known?.type !== "StripeCardError") return false;
  return known.statusCode === 400 || known.statusCode === 402 || known.code === "resource_missing";
}

function told(what: string, error: unknown): string {
  const known = stripeErrorSchema.safeParse(error).data;
  const reason = messageOf(error)
    .replaceAll(KEYS, "(key)")
    .replace(/\.\s*$/u, "");
  return `Stripe could not ${what}: ${reason}${factsOf(known)}. ${adviceOn(known)}.`;
}

function factsOf(error: StripeError | undefined): string {
  const facts = [
    error?.code,
    error?.statusCode === undefined ? undefined : `HTTP ${error.statusCode}`,
    error?.requestId === undefined ? undefined : `request ${error.requestId}`,
  ].filter((fact) => fact !== undefined);
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}

function adviceOn(error: StripeError | undefined): string {
  switch (error?.type) {
    case "StripeRateLimitError": {
      const seconds = error.headers?.["retry-after"];
      return `Trying again ${seconds === undefined ? "in a minute" : `in ${seconds} seconds`} helps`;
    }
    case "StripeConnectionError":
    case "StripeAPIError":
      return "Trying again later may help";
    case "StripeAuthenticationError":
    case "StripePermissionError":
      return "Trying again does not help until the secret key is put right";
    default:
      return "Trying again does not help";
  }
}
