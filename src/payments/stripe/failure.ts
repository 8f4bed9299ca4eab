/** What went wrong at Stripe, in plain words. Source: docs.stripe.com/error-handling. */
import { z } from "zod";
import { messageOf, UpstreamError } from "../../errors.ts";

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
    const known = stripeErrorSchema.safeParse(error).data;
    const reason = messageOf(error)
      .replaceAll(KEYS, "(key)")
      .replace(/\.\s*$/u, "");
    // The vendor's error is not passed on as the cause: it holds the raw answer, which is not ours to log.
    throw new UpstreamError(`Stripe could not ${what}: ${reason}${factsOf(known)}. ${adviceOn(known)}.`);
  }
}

/** True when Stripe says that it knows no object of this id. */
export function isMissing(error: unknown): boolean {
  return stripeErrorSchema.safeParse(error).data?.code === "resource_missing";
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
