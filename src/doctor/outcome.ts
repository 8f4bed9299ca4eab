/** What a check found. */
export type Status = "ok" | "warn" | "fail" | "skipped";

export interface Outcome {
  readonly status: Status;
  /** What was seen. Never a secret. */
  readonly found: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly advice: string;
}

export function ok(found: string): Outcome {
  return { status: "ok", found, advice: "" };
}

export function warn(found: string, advice: string): Outcome {
  return { status: "warn", found, advice };
}

export function fail(found: string, advice: string): Outcome {
  return { status: "fail", found, advice };
}

/** Could not be found out from here; the advice says how somebody else can. */
export function skipped(found: string, advice = ""): Outcome {
  return { status: "skipped", found, advice };
}

const WEIGHT: Readonly<Record<Status, number>> = { skipped: 0, ok: 1, warn: 2, fail: 3 };

/** Several as one: the gravest decides, and what it and its equals found is said. */
export function together(outcomes: readonly Outcome[]): Outcome {
  const gravest = outcomes.reduce((max, { status }) => Math.max(max, WEIGHT[status]), 0);
  const grave = outcomes.filter(({ status }) => WEIGHT[status] === gravest);
  const advice = [...new Set(grave.map((one) => one.advice))].filter((text) => text !== "");
  return {
    status: grave[0]?.status ?? "skipped",
    found: grave.map(({ found }) => found).join("; "),
    advice: advice.join("; "),
  };
}
