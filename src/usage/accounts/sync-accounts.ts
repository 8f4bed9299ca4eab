import { z } from "zod";
import { sql, type Transaction } from "../../db/database.ts";
import type { SlurmAccount } from "../../slurm/source.ts";

const changeSchema = z.object({ account: z.string(), has_moved: z.boolean() });

export interface AccountChanges {
  /** Accounts that are held now. */
  readonly held: number;
  /** Rows that were added, changed or removed. */
  readonly changes: number;
  /** Accounts that are new, gone, or below another account now. */
  readonly moved: readonly string[];
}

/** Makes the accounts of a cluster equal to those given. */
export async function syncAccounts(
  tx: Transaction,
  cluster: string,
  accounts: readonly SlurmAccount[],
): Promise<AccountChanges> {
  const rows = [...new Map(accounts.map((account) => [account.name, account])).values()];
  const given = sql`unnest(${rows.map(({ name }) => name)}::text[], ${rows.map(({ parent }) => parent)}::text[],
                           ${rows.map(({ description }) => description)}::text[],
                           ${rows.map(({ organization }) => organization)}::text[])
                    AS given (account, parent, description, organization)`;
  const gone = await tx.rows(
    changeSchema,
    sql`DELETE FROM slurm_accounts s WHERE s.cluster = ${cluster}
          AND s.account <> ALL (${rows.map(({ name }) => name)}::text[])
        RETURNING s.account, true AS has_moved`,
  );
  const changed = await tx.rows(
    changeSchema,
    sql`UPDATE slurm_accounts s SET parent = given.parent, description = given.description, organization = given.organization
        FROM ${given} JOIN slurm_accounts old ON old.cluster = ${cluster} AND old.account = given.account
        WHERE s.cluster = ${cluster} AND s.account = given.account
          AND (s.parent, s.description, s.organization) IS DISTINCT FROM (given.parent, given.description, given.organization)
        RETURNING s.account, old.parent IS DISTINCT FROM s.parent AS has_moved`,
  );
  const added = await tx.rows(
    changeSchema,
    sql`INSERT INTO slurm_accounts (cluster, account, parent, description, organization)
        SELECT ${cluster}, given.* FROM ${given} ON CONFLICT (cluster, account) DO NOTHING
        RETURNING account, true AS has_moved`,
  );
  const all = [...gone, ...changed, ...added];
  return {
    held: rows.length,
    changes: all.length,
    moved: all.filter((one) => one.has_moved).map(({ account }) => account),
  };
}
