/** What was made of something a provider said; `reason` is for the log and the record, never for the sender. */
export interface Verdict {
  readonly verdict: "applied" | "replay" | "ignored" | "refused";
  readonly reason: string;
  /**
   * What is left to do with what was sent: nothing; look again for a quarter of an hour (`wait`), as when a payment is not
   * known yet; try again for two days, and then let somebody look (`retry`); or let somebody look at it at once.
   */
  readonly next: "done" | "wait" | "retry" | "look";
}

export function applied(reason: string): Verdict {
  return { verdict: "applied", reason, next: "done" };
}

export function ignored(reason: string, next: Verdict["next"] = "done"): Verdict {
  return { verdict: "ignored", reason, next };
}
