import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { PaymentContext } from "./payments/context.ts";
import { dummyProvider } from "./payments/dummy.ts";
import { omiseProvider } from "./payments/omise/omise-provider.ts";
import type { PaymentProvider } from "./payments/provider.ts";
import { stripeProvider } from "./payments/stripe/stripe-provider.ts";

/** The providers that the configuration enables. Opens and asks nothing. */
export function paymentProviders(
  { appEnv, payments }: Pick<Config, "appEnv" | "payments">,
  clock: Clock,
): Pick<PaymentContext, "provider" | "providers"> {
  const dummy = dummyProvider({ webhookSecret: payments.dummy.webhookSecret, simulates: appEnv === "development" });
  const providers = payments.enabled.flatMap((name): PaymentProvider[] => {
    if (name === "stripe") return payments.stripe === null ? [] : [stripeProvider({ ...payments.stripe, clock })];
    if (name === "omise") return payments.omise === null ? [] : [omiseProvider({ ...payments.omise, clock })];
    // Nobody is sent anywhere: receipts carry its QR, and the bank's statement tells who paid.
    return name === "promptpay" ? [] : [dummy];
  });
  return {
    provider: providers[0] ?? dummy,
    providers: new Map(providers.map((provider) => [provider.name, provider])),
  };
}
