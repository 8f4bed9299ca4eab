import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";
import type { Currency } from "../../rating/money.ts";
import type { Tier } from "../../rating/tiers.ts";
import { readPricing, tierSchema, type Pricing } from "./book.ts";

/** All that decides the price of anybody's jobs. */
export interface Prices {
  readonly pricing: Pricing;
  readonly overrides: ReadonlyMap<string, Tier>;
}

/** Reads the price book once for each version of it: an import asks for every batch, prices change once a year. */
export class KnownPrices {
  readonly #currency: Currency;
  #known: Prices | undefined;

  constructor(currency: Currency) {
    this.#currency = currency;
  }

  /** The prices of a version that the caller's transaction holds (`SELECT … FROM pricing_state FOR SHARE`). */
  async at(queries: Queries, version: bigint): Promise<Prices> {
    if (this.#known?.pricing.version === version) return this.#known;
    const pricing = await readPricing(queries, this.#currency, { hold: false });
    const rows = await queries.rows(
      z.object({ username: z.string(), tier_override: tierSchema }),
      sql`SELECT username, tier_override FROM users WHERE tier_override IS NOT NULL`,
    );
    this.#known = { pricing, overrides: new Map(rows.map((row) => [row.username, row.tier_override])) };
    return this.#known;
  }
}
