/** Keeps the accounts of a cluster as its scheduler has them. */
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { sql, type Actor, type Database, type Transaction } from "../../db/database.ts";
import { UpstreamError } from "../../errors.ts";
import type { AccountMember, AccountSnapshot } from "../../slurm/source.ts";
import { priceByTree } from "./price-by-tree.ts";
import { syncCoordinators, syncMembers } from "./sync-people.ts";
import { syncAccounts } from "./sync-accounts.ts";

/** What a cluster has now, and whether anything of it was new. */
export interface StoredAccounts {
  readonly changed: boolean;
  readonly accounts: number;
  readonly members: number;
  readonly coordinators: number;
}

/** Coordinators named in one audit record; a record is for reading, and the tables have them all. */
const MOST_NAMED = 200;

/**
 * Makes what we hold of a cluster's accounts, members and coordinators equal to the snapshot, in one transaction that
 * writes only what differs. Users we did not know get a row. Where the tree is another one now and tiers depend on it,
 * unbilled jobs are priced again.
 *
 * @throws {UpstreamError} for a snapshot without accounts: every Slurm has at least `root`, so the answer was broken.
 */
export async function storeAccounts(
  context: { readonly db: Database; readonly clock: Clock },
  cluster: string,
  snapshot: AccountSnapshot,
  by: Actor,
): Promise<StoredAccounts> {
  if (snapshot.accounts.length === 0)
    throw new UpstreamError(
      `cluster ${cluster} answered with no accounts at all, not even root; the accounts known so far are kept`,
    );
  return context.db.transaction(async (tx) => {
    // Two at once would each take the other's rows for its own.
    await tx.run(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`accounts of ${cluster}`}, 0))`);
    const accounts = await syncAccounts(tx, cluster, snapshot.accounts);
    // Before anything locks a user: whoever imports holds the prices first and the users after.
    const repriced = await priceByTree(tx, cluster, accounts.moved, context.clock.now());
    await knowUsers(tx, snapshot, context.clock.now());
    const members = await syncMembers(tx, cluster, snapshot.members);
    const coordinators = await syncCoordinators(tx, cluster, snapshot.coordinators);
    const changed = accounts.changes + members.changes + coordinators.added.length + coordinators.removed.length > 0;
    const held = { accounts: accounts.held, members: members.held, coordinators: coordinators.held };
    if (changed) {
      tx.audit({
        ...by,
        action: "accounts.synced",
        subject: `cluster:${cluster}`,
        details: {
          ...held,
          accounts_changed: accounts.changes,
          members_changed: members.changes,
          coordinators_added: named(coordinators.added),
          coordinators_removed: named(coordinators.removed),
          repriced,
        },
      });
    }
    return { changed, ...held };
  });
}

function named(people: readonly AccountMember[]): string[] {
  return people.slice(0, MOST_NAMED).map(({ account, user }) => `${user} of ${account}`);
}

/**
 * Who is named by the scheduler is known here, with no job yet and no password. Their default account is the one they
 * belong to, where that is only one; their first job says it anew.
 */
async function knowUsers(tx: Transaction, { members, coordinators }: AccountSnapshot, now: Date): Promise<void> {
  const accountsOf = new Map<string, Set<string>>();
  for (const { user } of [...members, ...coordinators]) accountsOf.set(user, new Set());
  for (const { user, account } of members) accountsOf.get(user)?.add(account);
  const known = await tx.rows(
    z.object({ username: z.string() }),
    sql`SELECT username FROM users WHERE username = ANY (${[...accountsOf.keys()]}::text[])`,
  );
  for (const { username } of known) accountsOf.delete(username);
  const people = [...accountsOf].map(([user, accounts]) => ({
    user,
    account: accounts.size === 1 ? ([...accounts][0] ?? "") : "",
  }));
  if (people.length === 0) return;
  await tx.run(
    sql`INSERT INTO users (username, default_account, created_at)
        SELECT name, account, ${now}
        FROM unnest(${people.map(({ user }) => user)}::text[], ${people.map(({ account }) => account)}::text[])
             AS named (name, account)
        ORDER BY name
        ON CONFLICT (username) DO NOTHING`,
  );
}
