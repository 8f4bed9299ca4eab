import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { Currency } from "../rating/money.ts";
import type { PaymentProvider } from "./provider.ts";

/** What taking payments needs to know of its surroundings. */
export interface PaymentContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly currency: Currency;
  /** The one that is taken where nobody chooses. */
  readonly provider: PaymentProvider;
  /** All that are enabled, by name; the default one among them. */
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  /** Where payers come back to. */
  readonly siteBaseUrl: string;
  /** Told what went wrong with something that is tried again. */
  readonly onTrouble: (error: unknown, about: { readonly id: bigint; readonly provider: string }) => void;
}
