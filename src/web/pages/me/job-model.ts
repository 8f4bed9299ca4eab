/** A job as pages show it: what is said of it, in the reader's words; numbers as they are counted. */
import type { WhyLine } from "../ui/index.ts";

/** Where the job stands with billing. */
export type BillingMark =
  | { readonly kind: "open" }
  | { readonly kind: "receipt"; readonly number: string; readonly href: string }
  | { readonly kind: "running" }
  /** Nothing is asked for, or nothing can be asked for yet: why. */
  | { readonly kind: "reason"; readonly text: string };

export interface WhyView {
  readonly amount: string;
  /** Tier, day of the rates, basis. */
  readonly terms: string;
  readonly lines: readonly WhyLine[];
  /** In place of lines: why nothing is asked for. */
  readonly free: string | null;
  /** Subsidy, open correction. */
  readonly notes: readonly string[];
}

export interface JobView {
  /** Unique in a list, fit for an element's id. */
  readonly rowId: string;
  readonly jobId: string;
  /** The job's own page. */
  readonly href: string;
  readonly name: string;
  readonly account: string;
  readonly userName: string;
  readonly state: string;
  readonly endedAt: Date | null;
  /** How long it has run; null for a job that has ended or not begun. */
  readonly runningSeconds: number | null;
  /** `16 cores · 2 × a100 · 64 GiB`. */
  readonly allocated: string;
  readonly elapsedSeconds: number;
  readonly amountMinor: bigint;
  /** The amount still grows. */
  readonly isSoFar: boolean;
  readonly billing: BillingMark;
  readonly why: WhyView;
}
