import { UpstreamError } from "../../errors.ts";
import type { JobRecord } from "../../slurm/job-record.ts";
import type { DumpBatch } from "../../slurm/sacct-reader.ts";
import type { ReadOptions, TimeWindow } from "../../slurm/source.ts";
import { jobKey } from "../import/context.ts";
import type { Cascade, WorkingSource } from "./cascade.ts";

/**
 * All runs of a window, also those that the source's list leaves out: they come from another source of the cluster, or,
 * where there is none that works, from asking the source for each job by its id.
 *
 * @param met called with every run.
 */
export async function* wholeWindow(
  cascade: Cascade,
  current: WorkingSource,
  window: TimeWindow,
  options: ReadOptions & { readonly met: (job: JobRecord) => void },
): AsyncGenerator<DumpBatch> {
  const hidesRuns = current.limits.includes("hides_requeued_runs");
  const keys = new Set<string>();
  const ids = new Set<string>();
  for await (const batch of current.source.jobs(window, options)) {
    for (const job of batch.records) {
      options.met(job);
      if (!hidesRuns) continue;
      keys.add(jobKey(job));
      ids.add(job.rawJobId);
    }
    yield batch;
  }
  if (!hidesRuns) return;
  const others = { keys, met: options.met };
  const fuller = await cascade.fuller();
  if (fuller !== null) {
    try {
      yield* onlyNew(fuller.source.jobs(window, options), others);
      return;
    } catch (error) {
      if (!(error instanceof UpstreamError) || options.signal.aborted) throw error;
      await cascade.failed(fuller, error);
    }
  }
  if (ids.size > 0) yield* onlyNew(current.source.jobsById([...ids], options), others);
}

/** Of what a second source says, only what the first did not: two sources must not take turns in describing a job. */
async function* onlyNew(
  batches: AsyncIterable<DumpBatch>,
  { keys, met }: { readonly keys: Set<string>; readonly met: (job: JobRecord) => void },
): AsyncGenerator<DumpBatch> {
  for await (const batch of batches) {
    const records = batch.records.filter((job) => !keys.has(jobKey(job)));
    for (const job of records) {
      keys.add(jobKey(job));
      met(job);
    }
    yield { ...batch, records, rowsRead: records.length + batch.rejects.length };
  }
}
