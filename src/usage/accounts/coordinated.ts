/** What a coordinator may see: their accounts and all below them, each on its own cluster. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";

/** An account of a cluster that somebody coordinates. */
export interface CoordinatedAccount {
  readonly cluster: string;
  readonly account: string;
  /** The coordinated accounts above it, the topmost first; none for one that is coordinated itself. */
  readonly path: readonly string[];
}

/** Whether a user coordinates any account; one look into an index. */
export async function isCoordinator(queries: Queries, username: string): Promise<boolean> {
  const { found } = await queries.one(
    z.object({ found: z.boolean() }),
    sql`SELECT EXISTS (SELECT FROM account_coordinators WHERE user_name = ${username}) AS found`,
  );
  return found;
}

const rowSchema = z.object({ cluster: z.string(), account: z.string(), path: z.array(z.string()) });

/**
 * The accounts that a user coordinates, directly or from above, by cluster and name; narrowed to the accounts of a name
 * and what is below those, where one is given. An account that can be reached in two ways stands under the topmost
 * coordinated one. Circles in a stored tree end where they close.
 */
export function coordinatedAccounts(
  queries: Queries,
  username: string,
  { account }: { readonly account?: string | undefined } = {},
): Promise<CoordinatedAccount[]> {
  const narrowed =
    account === undefined ? sql`true` : sql`(scope.account = ${account} OR ${account} = ANY (scope.path))`;
  return queries.rows(
    rowSchema,
    sql`WITH RECURSIVE scope (cluster, account, path) AS (
          SELECT c.cluster, c.account, ARRAY[]::text[] COLLATE "C" FROM account_coordinators c WHERE c.user_name = ${username}
          UNION ALL
          SELECT s.cluster, s.account, scope.path || scope.account
          FROM scope JOIN slurm_accounts s ON s.cluster = scope.cluster AND s.parent = scope.account
          WHERE s.account <> scope.account AND s.account <> ALL (scope.path))
        SELECT DISTINCT ON (cluster, account) cluster, account, path FROM scope
        WHERE ${narrowed}
        ORDER BY cluster, account, cardinality(path) DESC, path`,
  );
}
