/** The account trees of the clusters, as a tier rule looks at them. */
import { z } from "zod";
import { sql, type Queries } from "../../db/database.ts";

/** The account above each account of a cluster; null for the topmost. */
type Parents = ReadonlyMap<string, string | null>;

/** By cluster, in the order of their names. */
export type AccountTree = ReadonlyMap<string, Parents>;

export const NO_ACCOUNT_TREE: AccountTree = new Map();

/** Reads the trees of all clusters. */
export async function readAccountTree(queries: Queries): Promise<AccountTree> {
  const rows = await queries.rows(
    z.object({ cluster: z.string(), accounts: z.array(z.string()), parents: z.array(z.string().nullable()) }),
    sql`SELECT cluster, array_agg(account ORDER BY account) AS accounts, array_agg(parent ORDER BY account) AS parents
        FROM slurm_accounts GROUP BY cluster ORDER BY cluster`,
  );
  return new Map(
    rows.map(({ cluster, accounts, parents }) => [
      cluster,
      new Map(accounts.map((account, index) => [account, parents[index] ?? null])),
    ]),
  );
}

/**
 * The accounts above one, the nearest first. Without a cluster, in the tree of the first cluster that has the account. A
 * parent that the tree does not hold ends the list, and so does a circle: neither should be, but what is stored is what
 * the scheduler said.
 */
export function accountsAbove(tree: AccountTree, cluster: string | null, account: string): string[] {
  const parents = cluster === null ? [...tree.values()].find((one) => one.has(account)) : tree.get(cluster);
  if (parents === undefined) return [];
  const above = new Set<string>();
  for (let next = parents.get(account) ?? null; next !== null; next = parents.get(next) ?? null) {
    if (next === account || above.has(next)) break;
    above.add(next);
  }
  return [...above];
}
