import type { Rate, RuleSet } from "./price-book.ts";
import { TIERS } from "./tiers.ts";

/** Where a version of a price stands at an instant. */
export type VersionState = "inForce" | "upcoming" | "replaced";

/** The rates of one tier and one scope. */
export interface ScopedRates<R extends Rate> {
  /** Undefined while the first version is still to come. */
  readonly current: R | undefined;
  /** Versions whose day has not come yet, in the order they were set. */
  readonly upcoming: readonly R[];
}

/** What holds at an instant for each tier and scope: by tier, the general rate before the narrower ones. */
export function ratesByScope<R extends Rate>(rates: readonly R[], at: number): ScopedRates<R>[] {
  const scopes = Map.groupBy(rates, (rate) =>
    JSON.stringify([TIERS.indexOf(rate.tier), rate.cluster ?? "", rate.partition ?? "", rate.qos ?? ""]),
  );
  return [...scopes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, versions]) => ({
      current: newestAt(versions, at),
      upcoming: versions.filter((rate) => !holdsAt(rate, at)),
    }));
}

/** Whether each rate is in force, to come, or replaced by a later version of its scope. */
export function rateStates(rates: readonly Rate[], at: number): ReadonlyMap<number, VersionState> {
  const current = new Set(ratesByScope(rates, at).map((scope) => scope.current?.id));
  return new Map(rates.map((rate) => [rate.id, stateOf(rate, current, at)]));
}

export function ruleSetStates(ruleSets: readonly RuleSet[], at: number): ReadonlyMap<number, VersionState> {
  const current = new Set([newestAt(ruleSets, at)?.id]);
  return new Map(ruleSets.map((rules) => [rules.id, stateOf(rules, current, at)]));
}

type Version = Pick<Rate, "id" | "effectiveFrom">;

function stateOf(version: Version, current: ReadonlySet<number | undefined>, at: number): VersionState {
  if (current.has(version.id)) return "inForce";
  return holdsAt(version, at) ? "replaced" : "upcoming";
}

function newestAt<V extends Version>(versions: readonly V[], at: number): V | undefined {
  return versions
    .filter((version) => holdsAt(version, at))
    .reduce<V | undefined>((best, one) => (best === undefined || one.id > best.id ? one : best), undefined);
}

function holdsAt({ effectiveFrom }: Version, at: number): boolean {
  return effectiveFrom === null || effectiveFrom <= at;
}
