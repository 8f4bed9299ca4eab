import { z } from "zod";
import { sql, type Database } from "../db/database.ts";
import { UserError } from "../errors.ts";
import type { Currency } from "../rating/money.ts";
import { addToRollup } from "./rollup.ts";
import type { SiteDays } from "./site-day.ts";

/**
 * Makes the days on which jobs count those of the site's time zone. When SITE_TZ was changed since the last start, every
 * job's day is set anew and the rollup is rebuilt, in one transaction; usually there is nothing to do.
 */
export async function ensureSiteZone(db: Database, days: SiteDays, log: (line: string) => void): Promise<void> {
  const stored = await db.maybeOne(
    z.object({ value: z.string() }),
    sql`SELECT value FROM settings WHERE key = 'site_tz'`,
  );
  if (stored?.value === days.timeZone) return;
  if (stored !== undefined) log(`SITE_TZ changed from ${stored.value} to ${days.timeZone}: rebuilding the daily sums`);
  await db.transaction(async (tx) => {
    await tx.run(sql`LOCK TABLE jobs, usage_daily IN SHARE ROW EXCLUSIVE MODE`);
    await tx.run(
      sql`UPDATE jobs SET usage_day = (end_at AT TIME ZONE ${days.timeZone}::text)::date
          WHERE phase = 'finished' AND usage_day IS DISTINCT FROM (end_at AT TIME ZONE ${days.timeZone}::text)::date`,
    );
    await tx.run(sql`DELETE FROM usage_daily`);
    await addToRollup(tx, sql`jobs j`, 1);
    await tx.run(
      sql`INSERT INTO settings (key, value) VALUES ('site_tz', to_jsonb(${days.timeZone}::text))
          ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
    tx.audit({
      actor: "system",
      action: "site.time_zone_set",
      subject: "settings:site_tz",
      details: { before: stored?.value ?? null, after: days.timeZone },
    });
  });
}

/**
 * Keeps the currency the amounts are stored in: minor units mean nothing without it.
 *
 * @throws {UserError} when PAYMENT_CURRENCY is another than the one this database was begun with.
 */
export async function ensureCurrency(db: Database, currency: Currency): Promise<void> {
  const { value } = await db.one(
    z.object({ value: z.string() }),
    sql`INSERT INTO settings (key, value) VALUES ('currency', to_jsonb(${currency.code}::text))
        ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value`,
  );
  if (value !== currency.code) {
    throw new UserError(
      `the amounts in this database are in ${value}, PAYMENT_CURRENCY says ${currency.code}: a centre keeps its currency; set it back, or begin with an empty database`,
    );
  }
}
