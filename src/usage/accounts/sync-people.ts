import { z } from "zod";
import { raw, sql, type Sql, type Transaction } from "../../db/database.ts";
import type { AccountMember } from "../../slurm/source.ts";

const personSchema = z
  .object({ account: z.string(), user_name: z.string() })
  .transform((row): AccountMember => ({ account: row.account, user: row.user_name }));

/** Makes the members of a cluster's accounts equal to those given. */
export async function syncMembers(
  tx: Transaction,
  cluster: string,
  members: readonly AccountMember[],
): Promise<{ held: number; changes: number }> {
  const { held, added, removed } = await syncPeople(tx, raw("account_members"), cluster, members);
  return { held, changes: added.length + removed.length };
}

/** Makes the coordinators of a cluster's accounts equal to those given; says who is new and who is no more. */
export function syncCoordinators(
  tx: Transaction,
  cluster: string,
  coordinators: readonly AccountMember[],
): Promise<{ held: number; added: AccountMember[]; removed: AccountMember[] }> {
  return syncPeople(tx, raw("account_coordinators"), cluster, coordinators);
}

async function syncPeople(
  tx: Transaction,
  table: Sql,
  cluster: string,
  people: readonly AccountMember[],
): Promise<{ held: number; added: AccountMember[]; removed: AccountMember[] }> {
  const given = sql`unnest(${people.map(({ account }) => account)}::text[], ${people.map(({ user }) => user)}::text[])
                    AS given (account, user_name)`;
  const removed = await tx.rows(
    personSchema,
    sql`DELETE FROM ${table} p WHERE p.cluster = ${cluster}
          AND NOT EXISTS (SELECT FROM ${given} WHERE given.account = p.account AND given.user_name = p.user_name)
        RETURNING p.account, p.user_name`,
  );
  const added = await tx.rows(
    personSchema,
    sql`INSERT INTO ${table} (cluster, account, user_name) SELECT ${cluster}, given.* FROM ${given}
        ON CONFLICT DO NOTHING RETURNING account, user_name`,
  );
  const { held } = await tx.one(
    z.object({ held: z.bigint() }),
    sql`SELECT count(*) AS held FROM ${table} WHERE cluster = ${cluster}`,
  );
  return { held: Number(held), added, removed };
}
