import type { StoredJob } from "./jobs.ts";
import { gpuTypesText } from "./import/copy-line.ts";
import { formatMinor, type Currency } from "../rating/money.ts";
import type { UsageSums } from "./queries/summary.ts";

type Cell = string | number | bigint | null;

/** Columns of the usage files: the same for a user, an admin and the command line. */
export function usageColumns(
  currency: Currency,
  instant: (epochSeconds: number) => string,
): { readonly header: string; readonly value: (job: StoredJob) => Cell }[] {
  const at = (epochSeconds: number | null): Cell => (epochSeconds === null ? null : instant(epochSeconds));
  const seconds = (job: StoredJob, amount: number): bigint => BigInt(amount) * BigInt(job.elapsedSeconds);
  const money = (minor: bigint): string => formatMinor(minor, currency);
  return [
    { header: "cluster", value: (job) => job.cluster },
    { header: "job_id", value: (job) => job.jobId },
    { header: "raw_job_id", value: (job) => job.rawJobId },
    { header: "user", value: (job) => job.user },
    { header: "account", value: (job) => job.account },
    { header: "partition", value: (job) => job.partition },
    { header: "qos", value: (job) => job.qos },
    { header: "job_name", value: (job) => job.jobName },
    { header: "state", value: (job) => job.state },
    { header: "submit", value: (job) => at(job.submitAt) },
    { header: "start", value: (job) => at(job.startAt) },
    { header: "end", value: (job) => at(job.endAt) },
    { header: "elapsed_seconds", value: (job) => job.elapsedSeconds },
    { header: "cpus", value: (job) => job.allocCpus },
    { header: "gpus", value: (job) => job.allocGpus },
    { header: "gpu_types", value: (job) => gpuTypesText(job.gpuTypes) },
    { header: "mem_mib", value: (job) => job.allocMemMib },
    { header: "nodes", value: (job) => job.allocNodes },
    { header: "cpu_seconds", value: (job) => seconds(job, job.allocCpus) },
    { header: "gpu_seconds", value: (job) => seconds(job, job.allocGpus) },
    { header: "mem_mib_seconds", value: (job) => seconds(job, job.allocMemMib) },
    { header: "tier", value: (job) => job.tier },
    { header: "charge", value: (job) => job.chargeKind },
    { header: "reason", value: (job) => job.freeReason },
    { header: "cpu_amount", value: (job) => money(job.cpuMinor) },
    { header: "gpu_amount", value: (job) => money(job.gpuMinor) },
    { header: "mem_amount", value: (job) => money(job.memMinor) },
    { header: "amount", value: (job) => money(job.costMinor) },
    { header: "currency", value: () => currency.code },
    { header: "receipt", value: (job) => job.receiptNumber },
  ];
}

/** What sums of usage cost, by resource, and what of that is unbilled: the last columns of every file of sums. */
export function amountColumns(
  currency: Currency,
): { readonly header: string; readonly value: (sums: UsageSums) => Cell }[] {
  const money = (minor: bigint): string => formatMinor(minor, currency);
  return [
    { header: "cpu_amount", value: ({ cpuMinor }) => money(cpuMinor) },
    { header: "gpu_amount", value: ({ gpuMinor }) => money(gpuMinor) },
    { header: "mem_amount", value: ({ memMinor }) => money(memMinor) },
    { header: "amount", value: ({ costMinor }) => money(costMinor) },
    { header: "unbilled_jobs", value: ({ unbilledJobs }) => unbilledJobs },
    { header: "unbilled_amount", value: ({ unbilledMinor }) => money(unbilledMinor) },
    { header: "currency", value: () => currency.code },
  ];
}
