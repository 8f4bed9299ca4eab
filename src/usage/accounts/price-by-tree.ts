import { z } from "zod";
import { sql, type Transaction } from "../../db/database.ts";
import { nextPriceVersion, repriceEverybody } from "../prices/change.ts";

/**
 * After accounts were added, removed or moved: where a tier rule looks at the tree, makes everybody read the tree anew,
 * and has unbilled jobs priced again if there are any on these accounts or below them. True when jobs are priced again.
 */
export async function priceByTree(
  tx: Transaction,
  cluster: string,
  moved: readonly string[],
  now: Date,
): Promise<boolean> {
  if (moved.length === 0) return false;
  // Waits for who is pricing by the tree as it was, and for who is just adding the first rule that looks at it.
  await tx.run(sql`SELECT FROM pricing_state FOR UPDATE`);
  const { has_rules: hasRules } = await tx.one(
    z.object({ has_rules: z.boolean() }),
    sql`SELECT EXISTS (SELECT FROM tier_rules WHERE subject = 'account_tree') AS has_rules`,
  );
  if (!hasRules) return false;
  await nextPriceVersion(tx);
  if (!(await haveUnbilledJobs(tx, cluster, moved))) return false;
  await repriceEverybody(tx, now, `account tree of ${cluster}`);
  return true;
}

/** Whether jobs on these accounts, or on accounts below them, wait to be billed. */
async function haveUnbilledJobs(tx: Transaction, cluster: string, accounts: readonly string[]): Promise<boolean> {
  const { found } = await tx.one(
    z.object({ found: z.boolean() }),
    sql`WITH RECURSIVE below AS (
          SELECT moved.account COLLATE "C" AS account FROM unnest(${[...accounts]}::text[]) AS moved (account)
          UNION
          SELECT s.account FROM below b JOIN slurm_accounts s ON s.cluster = ${cluster} AND s.parent = b.account)
        SELECT EXISTS (SELECT FROM below b JOIN usage_daily d ON d.cluster = ${cluster} AND d.account = b.account
                       WHERE d.unbilled_jobs > 0) AS found`,
  );
  return found;
}
