import { z } from "zod";
import { sql, type Transaction } from "../../db/database.ts";
import type { JobRecord } from "../../slurm/job-record.ts";

/** True when one of the batch's clusters holds jobs under weak keys. */
export async function ensureClusters(tx: Transaction, records: readonly JobRecord[], now: Date): Promise<boolean> {
  const isWeakByName = new Map<string, boolean>();
  for (const job of records) isWeakByName.set(job.cluster, (isWeakByName.get(job.cluster) ?? false) || job.keyIsWeak);
  let anyWeak = false;
  for (const [name, isWeak] of [...isWeakByName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { has_weak_keys } = await tx.one(
      z.object({ has_weak_keys: z.boolean() }),
      sql`INSERT INTO clusters (name, first_seen_at, has_weak_keys) VALUES (${name}, ${now}, ${isWeak})
          ON CONFLICT (name) DO UPDATE SET has_weak_keys = clusters.has_weak_keys OR excluded.has_weak_keys
          RETURNING has_weak_keys`,
    );
    anyWeak ||= has_weak_keys;
  }
  return anyWeak;
}

/** A user that nobody here knows gets a row; the newest job says which account is theirs by default. */
export async function ensureUsers(tx: Transaction, records: readonly JobRecord[], now: Date): Promise<void> {
  const newest = new Map<string, JobRecord>();
  for (const job of records) {
    const known = newest.get(job.user);
    if (known === undefined || known.submitAt < job.submitAt) newest.set(job.user, job);
  }
  const rows = [...newest.values()].sort((a, b) => (a.user < b.user ? -1 : 1));
  await tx.run(
    sql`INSERT INTO users (username, created_at, default_account, account_seen_at)
        SELECT name, ${now}, account, to_timestamp(submit_at)
        FROM unnest(${rows.map((job) => job.user)}::text[], ${rows.map((job) => job.account)}::text[],
                    ${rows.map((job) => job.submitAt)}::bigint[]) AS seen (name, account, submit_at)
        ORDER BY name
        ON CONFLICT (username) DO UPDATE
          SET default_account = excluded.default_account, account_seen_at = excluded.account_seen_at
          WHERE users.account_seen_at IS NULL
             OR (excluded.account_seen_at > users.account_seen_at)`,
  );
}
