/** Words of the states and counts of sources, by what the code calls them. */
import type { SourceStatus, SyncRun } from "../../../usage/sync/status.ts";
import type { Tone } from "../ui/index.ts";

export const SOURCE_NAMES = {
  slurmrestd: "sources.source.slurmrestd",
  sacct: "sources.source.sacct",
  file: "sources.source.file",
} as const satisfies Record<SourceStatus["source"], string>;

export const LIMIT_WORDS = {
  hides_requeued_runs: "sources.limit.hides_requeued_runs",
  no_exit_codes: "sources.limit.no_exit_codes",
  is_no_operator: "sources.limit.is_no_operator",
} as const satisfies Record<SourceStatus["limits"][number], string>;

export const RUN_STATES = {
  running: ["sources.result.running", "waiting"],
  done: ["sources.result.done", "good"],
  failed: ["sources.result.failed", "bad"],
  canceled: ["sources.result.canceled", "neutral"],
} as const satisfies Record<SyncRun["status"], readonly [string, Tone]>;

/** What a sync counts, in the order of its columns. */
export const COUNTS = [
  ["new", "sources.run.new"],
  ["changed", "sources.run.changed"],
  ["unchanged", "sources.run.unchanged"],
  ["running", "sources.run.running"],
  ["rejected", "sources.run.rejected"],
] as const;

export const NOTICES = {
  requested: ["sources.requested", "good"],
  alreadyAsked: ["sources.alreadyAsked", "info"],
  cancelRequested: ["sources.cancelRequested", "good"],
  notSyncing: ["sources.notSyncing", "info"],
} as const;
