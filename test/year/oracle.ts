/** What a run must cost, worked out anew: exact fractions, the life's own price list, and nothing of the product. */
import type { JobRecord } from "../../src/slurm/job-record.ts";
import type { PriceChange, RateChange, RulesChange, Tier } from "./prices.ts";

const HOUR = 3_600n;
const GIB_HOUR = 1_024n * HOUR;

/** The price of a run that ended, in satang, by what an admin had entered up to an instant. */
export function priceOf(record: JobRecord, changes: readonly PriceChange[], enteredUntil: number): bigint {
  const entered = changes.filter(({ at }) => at <= enteredUntil);
  const { endAt, elapsedSeconds } = record;
  if (endAt === null) throw new Error(`run ${record.rawJobId} has not ended`);
  const rules = entered.filter((change): change is PriceChange & RulesChange => change.kind === "rules");
  const rule = rules.findLast(({ from }) => from === null || from <= endAt);
  if (rule?.freeStates.includes(record.state) === true) return 0n;
  const tier = tierOf(record, entered);
  const rate = entered
    .filter((change): change is PriceChange & RateChange => change.kind === "rate" && change.tier === tier)
    .findLast(({ from }) => from === null || from <= endAt);
  if (rate === undefined) throw new Error(`nobody has set a price for ${tier}`);
  const percent = BigInt(rule?.shares.find((share) => share.tier === tier)?.percent ?? 100);
  const elapsed = BigInt(elapsedSeconds);
  const amount = (held: number, unit: bigint, price: string): bigint =>
    satang(BigInt(held) * elapsed * percent, unit * 100n, price);
  const ownPrice = record.gpuTypes.filter(({ type }) => rate.gpuTypes[type] !== undefined);
  const otherGpus = record.allocGpus - ownPrice.reduce((sum, { count }) => sum + count, 0);
  return [
    amount(record.allocCpus, HOUR, rate.cpu),
    amount(record.allocMemMib, GIB_HOUR, rate.mem),
    amount(otherGpus, HOUR, rate.gpu),
    ...ownPrice.map(({ type, count }) => amount(count, HOUR, rate.gpuTypes[type] ?? "")),
  ].reduce((sum, line) => sum + line, 0n);
}

function tierOf({ user, account }: JobRecord, entered: readonly PriceChange[]): Tier {
  const override = entered.findLast((change) => change.kind === "override" && change.user === user);
  if (override?.kind === "override") return override.tier;
  if (account.startsWith("mu-")) return "mu";
  return account.startsWith("gov-") ? "gov" : "private";
}

/** A fraction of a price such as `3.999999` in hundredths: the nearest one, and of two the even one. */
function satang(numerator: bigint, denominator: bigint, price: string): bigint {
  const [whole = "", decimals = ""] = price.split(".");
  const top = numerator * BigInt(whole + decimals) * 100n;
  const bottom = denominator * 10n ** BigInt(decimals.length);
  return halfEven(top, bottom);
}

/** `top / bottom`, neither negative, rounded to an integer; ties go to the even one. */
export function halfEven(top: bigint, bottom: bigint): bigint {
  const below = top / bottom;
  const beyond = (top % bottom) * 2n - bottom;
  return beyond > 0n || (beyond === 0n && below % 2n === 1n) ? below + 1n : below;
}
