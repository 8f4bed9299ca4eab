/** Makes up what happens on one cluster: the same life for the same seed. Instants are seconds since 1970 UTC. */
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { Dice } from "./dice.ts";
import { runsAtTheEdges, runsOfJob, type Run } from "./jobs.ts";
import { priceChanges, type PriceChange } from "./prices.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** From an instant on, accounting shows another name for a user or an account, also on old records. The tier stays. */
export interface Rename {
  readonly at: number;
  readonly what: "user" | "account";
  readonly from: string;
  readonly to: string;
}

/** Hours or days in which a source does not answer, or none does. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly of: "slurmrestd" | "sacct" | "all";
}

export interface Life {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly runs: readonly Run[];
  readonly renames: readonly Rename[];
  readonly outages: readonly Outage[];
  readonly prices: readonly PriceChange[];
}

export function aLife(options: { seed: number; from: number; to: number; jobs: number }): Life {
  const dice = new Dice(options.seed);
  const { seed, from, to } = options;
  const when = (share: number): number => from + Math.floor((to - from) * share);
  const submits = Array.from({ length: options.jobs }, () => dice.int(from, to - 6 * HOUR)).sort((a, b) => a - b);
  // The scheduler begins to count anew: from here on ids that were given before are given again.
  const wrapsAt = submits.findIndex((submitAt) => submitAt >= when(0.5));
  const runs = submits.flatMap((submitAt, index) => {
    const id = 1 + (index < wrapsAt ? index : index - wrapsAt);
    return runsOfJob(dice, { rawJobId: String(id), submitAt });
  });
  runs.push(...runsAtTheEdges(dice, from, to));
  return {
    seed,
    from,
    to,
    runs,
    renames: [
      { at: when(0.4), what: "user", from: "bob", to: "robert" },
      { at: when(0.6), what: "account", from: "mu-climate", to: "mu-earth" },
    ],
    outages: outages(dice, from, to),
    prices: priceChanges(from, to),
  };
}

/** What accounting would answer about a run at an instant; null when it knows nothing of it. */
export function recordAt(life: Life, run: Run, at: number): JobRecord | null {
  const record = run.history.findLast((sighting) => sighting.from <= at)?.record ?? null;
  if (record === null) return null;
  if (record.phase !== "active" || record.startAt === null) return renamed(life, record, at);
  return renamed(life, { ...record, elapsedSeconds: at - record.startAt }, at);
}

/** Everything accounting has said of a run that ended, up to an instant, by the names of that instant. */
export function endedVersions(
  life: Life,
  run: Run,
  at: number,
): { readonly from: number; readonly record: JobRecord }[] {
  return run.history.flatMap(({ from, record }) =>
    from <= at && record?.phase === "finished" ? [{ from, record: renamed(life, record, at) }] : [],
  );
}

/** How accounting calls a user or an account at an instant, by the name it had at first. */
export function nameAt(life: Life, what: Rename["what"], name: string, at: number): string {
  return life.renames.find((one) => one.what === what && one.from === name && one.at <= at)?.to ?? name;
}

function renamed(life: Life, record: JobRecord, at: number): JobRecord {
  const user = nameAt(life, "user", record.user, at);
  return { ...record, user, account: nameAt(life, "account", record.account, at) };
}

/** One source away for hours, or all of them for days; seldom enough that somebody looks after it in between. */
function outages(dice: Dice, from: number, to: number): Outage[] {
  const found: Outage[] = [];
  for (let at = from + dice.int(3 * DAY, 12 * DAY); at < to - 3 * DAY; at += dice.int(6 * DAY, 24 * DAY)) {
    const of = dice.weighted<Outage["of"]>([
      [50, "slurmrestd"],
      [20, "sacct"],
      [30, "all"],
    ]);
    found.push({ from: at, to: at + (of === "all" ? dice.int(DAY, 3 * DAY) : dice.int(6 * HOUR, 30 * HOUR)), of });
  }
  return found;
}
