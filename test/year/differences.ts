/** Holds what the product has against what really happened. Every difference names the run, the receipt or the user's month. */
import { openCorrections } from "../../src/billing/corrections.ts";
import type { Queries } from "../../src/db/database.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { usageBy } from "../../src/usage/queries/summary.ts";
import { unbilledTotals } from "../../src/usage/queries/unbilled.ts";
import { localDay } from "./berlin.ts";
import type { BilledMonth } from "./bills.ts";
import { heldReceipts, heldRuns, type HeldReceipt, type HeldRun } from "./held.ts";
import type { Run } from "./jobs.ts";
import { endedVersions, recordAt, type Life } from "./life.ts";
import { halfEven, priceOf } from "./oracle.ts";

const DAY = 86_400;
/** No clock differs by more from another. */
const SKEW = 700;
/** Within this time a reconciliation has found everything that was not seen at once. */
const SEEN_WITHIN = 35 * DAY;

/** One run, as it really is and as the product has it. */
interface Pair {
  readonly name: string;
  readonly run: Run;
  readonly truth: JobRecord | null;
  readonly held: HeldRun | undefined;
}

export async function differences(
  queries: Queries,
  life: Life,
  now: number,
  lastBilled: BilledMonth | null,
): Promise<string[]> {
  const pairs = await pairsOf(queries, life, now);
  const receipts = await heldReceipts(queries);
  return [
    ...pairs.flatMap(recordDifferences),
    ...pairs.flatMap((pair) => moneyDifferences(life, pair)),
    ...pairs.filter((pair) => isForgotten(life, pair, now, lastBilled)).map(({ name }) => `${name} was never billed`),
    ...receipts.flatMap(receiptDifferences),
    ...(await totalDifferences(queries, life, pairs, receipts)),
    ...(await usageDifferences(queries, pairs)),
  ];
}

async function pairsOf(queries: Queries, life: Life, now: number): Promise<Pair[]> {
  const held = new Map((await heldRuns(queries)).map((run) => [`${run.raw_job_id} of ${run.submit_epoch}`, run]));
  const pairs = life.runs.map((run): Pair => {
    const name = `${run.rawJobId} of ${run.submitAt}`;
    return { name: `run ${name}`, run, truth: recordAt(life, run, now), held: held.get(name) };
  });
  const known = new Set(life.runs.map((run) => `${run.rawJobId} of ${run.submitAt}`));
  const unknown = [...held.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`nobody ran ${unknown.join(", ")}`);
  return pairs;
}

function recordDifferences({ name, truth, held }: Pair): string[] {
  if (truth === null)
    return held === undefined || held.state === "VANISHED" ? [] : [`${name} is ${held.state} and should be gone`];
  if (held === undefined) return [`${name} is missing`];
  if (truth.phase === "active") return held.phase === "active" ? [] : [`${name} still runs and is ${held.state}`];
  const expected = [truth.phase, truth.state, truth.user, truth.account, truth.endAt, truth.elapsedSeconds].join(" ");
  const found = [held.phase, held.state, held.user_name, held.account, held.end_epoch, held.elapsed_seconds].join(" ");
  return found === expected ? [] : [`${name} is ${found} and should be ${expected}`];
}

/** What it must cost: by the prices of its receipt, or by those of today while it is on none. */
function rightPrice(life: Life, { truth, held }: Pair): bigint {
  return truth?.phase === "finished" ? priceOf(truth, life.prices, held?.issued_epoch ?? Infinity) : 0n;
}

function moneyDifferences(life: Life, pair: Pair): string[] {
  const { name, run, held } = pair;
  if (held === undefined) return [];
  if (held.items > 1n) return [`${name} was billed ${held.items} times`];
  const settled = held.item_minor + held.adjusted_minor + held.owed_minor;
  const unbilled = held.items === 0n ? held.cost_minor : 0n;
  const right = rightPrice(life, pair);
  const found: string[] = [];
  if (settled + unbilled !== right && pair.truth?.phase !== "active") {
    found.push(`${name} costs ${settled} settled and owed + ${unbilled} unbilled and should cost ${right}`);
  }
  const { issued_epoch: issuedAt } = held;
  if (issuedAt !== null) {
    const prices = endedVersions(life, run, issuedAt + SKEW).map(({ record }) =>
      priceOf(record, life.prices, issuedAt),
    );
    if (!prices.includes(held.item_minor))
      found.push(`${name} was billed ${held.item_minor} and cost ${prices.join(" or ")}`);
  }
  return found;
}

/** A run that has a price, was known for long when a month was billed last, and stands on no receipt although none was voided. */
function isForgotten(life: Life, pair: Pair, now: number, lastBilled: BilledMonth | null): boolean {
  const { run, held } = pair;
  if (lastBilled === null || held === undefined || held.items > 0n || rightPrice(life, pair) === 0n) return false;
  if (held.voided_epoch !== null && held.voided_epoch >= lastBilled.at) return false;
  const versions = endedVersions(life, run, now);
  const knownAt = versions[0]?.from ?? Infinity;
  const endedInTime = versions.every(
    ({ record }) => record.endAt !== null && localDay(record.endAt) <= lastBilled.cutoffDay,
  );
  return endedInTime && knownAt < lastBilled.at - SEEN_WITHIN;
}

/** Prices have 7 % tax on top. */
function receiptDifferences(receipt: HeldReceipt): string[] {
  const { number, subtotal_minor: subtotal, tax_minor: tax, adjustments_minor: adjustments } = receipt;
  const addsUp =
    receipt.items === receipt.jobs &&
    receipt.items_minor === receipt.lines_minor &&
    receipt.lines_minor + adjustments === subtotal &&
    tax === halfEven(subtotal * 7n, 100n) &&
    receipt.total_minor === subtotal + tax;
  return addsUp ? [] : [`receipt ${number} does not add up: ${JSON.stringify(receipt, asText)}`];
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

async function totalDifferences(
  queries: Queries,
  life: Life,
  pairs: readonly Pair[],
  receipts: readonly HeldReceipt[],
): Promise<string[]> {
  const right = pairs.reduce((sum, pair) => sum + rightPrice(life, pair), 0n);
  const billed = receipts.reduce((sum, one) => sum + (one.status === "void" ? 0n : one.subtotal_minor), 0n);
  const { minor: unbilled } = await unbilledTotals(queries);
  const { owedMinor: owed } = await openCorrections(queries);
  return billed + unbilled + owed === right
    ? []
    : [`${billed} on receipts + ${unbilled} unbilled + ${owed} owed should be ${right} satang`];
}

/** CPU, GPU and memory seconds of every user and month. */
async function usageDifferences(queries: Queries, pairs: readonly Pair[]): Promise<string[]> {
  const right = new Map<string, [cpu: bigint, gpu: bigint, memory: bigint]>();
  for (const { truth } of pairs) {
    if (truth === null || truth.phase !== "finished" || truth.endAt === null) continue;
    const key = `${truth.user} in ${localDay(truth.endAt).slice(0, 7)}`;
    const [cpu, gpu, memory] = right.get(key) ?? [0n, 0n, 0n];
    const held = (count: number): bigint => BigInt(count) * BigInt(truth.elapsedSeconds);
    right.set(key, [cpu + held(truth.allocCpus), gpu + held(truth.allocGpus), memory + held(truth.allocMemMib)]);
  }
  const found = new Map<string, string>();
  for (const { key: userName } of await usageBy(queries, {}, "user")) {
    for (const sums of await usageBy(queries, { userName }, "month"))
      found.set(`${userName} in ${sums.key}`, `${sums.cpuSeconds}, ${sums.gpuSeconds}, ${sums.memMibSeconds}`);
  }
  return [...new Set([...right.keys(), ...found.keys()])].flatMap((key) => {
    const expected = right.get(key)?.join(", ") ?? "nothing";
    const held = found.get(key) ?? "nothing";
    return held === expected ? [] : [`${key}: CPU, GPU, memory seconds are ${held} and should be ${expected}`];
  });
}
