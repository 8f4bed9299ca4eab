/** What is more than any cluster has or says: a damaged record, which must be refused where it is read and not where it is stored. */
import type { JobRecord } from "./job-record.ts";

/** Of CPU, GPU, node and weighted seconds: 285 million core years. */
const MOST_SECONDS = Number.MAX_SAFE_INTEGER;
/** Of MiB seconds: an exabyte for a month, and a price for it that still fits. */
const MOST_MEM_MIB_SECONDS = 2 ** 61;
/** The largest number of a bigint column. */
const MOST_STORED = 2n ** 63n - 1n;

/** @returns what a job was given too much of to be true, as a reason; null when it can be. */
export function uncountable(
  job: Pick<JobRecord, "allocCpus" | "allocGpus" | "allocNodes" | "allocMemMib" | "allocBilling">,
  elapsedSeconds: number,
): string | null {
  const given = [
    ["CPUs", job.allocCpus, MOST_SECONDS],
    ["GPUs", job.allocGpus, MOST_SECONDS],
    ["nodes", job.allocNodes, MOST_SECONDS],
    ["MiB of memory", job.allocMemMib, MOST_MEM_MIB_SECONDS],
    ["billing units", job.allocBilling, MOST_SECONDS],
  ] as const;
  for (const [what, count, most] of given) {
    if (count * elapsedSeconds > most) return `${count} ${what} for ${elapsedSeconds} s are more than can be true`;
  }
  return null;
}

/** Names as long as slurmdbd's own columns (tinytext) hold; longer ones fit no index. */
const MOST_NAME_CHARACTERS = 255;

/** @returns which name of a job is longer than Slurm keeps any, as a reason; null when none is. */
export function overlong(job: Pick<JobRecord, "cluster" | "user" | "account" | "partition">): string | null {
  const names = [job.cluster, job.user, job.account, job.partition];
  const at = names.findIndex((name) => name.length > MOST_NAME_CHARACTERS);
  if (at < 0) return null;
  return `${["cluster", "user", "account", "partition"][at] ?? ""} is longer than ${MOST_NAME_CHARACTERS} characters`;
}

/** A sum that steps reported, or null, as if they had not, where it is more than can be stored. */
export function storable(sum: bigint | null): bigint | null {
  return sum === null || sum > MOST_STORED ? null : sum;
}
