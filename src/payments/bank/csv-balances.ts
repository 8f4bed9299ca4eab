import { UserError } from "../../errors.ts";
import { formatMinor, type Currency } from "../../rating/money.ts";

/** A row as the running balance sees it. */
export interface BalanceStep {
  readonly place: string;
  /** Rows of different accounts and currencies have balances of their own. */
  readonly account: string;
  readonly currency: Currency;
  /** Minor units moved; undefined when the row could not be read, so that nothing is known until the next balance. */
  readonly moved: bigint | undefined;
  /** Minor units after the row; undefined when it does not say. */
  readonly balance: bigint | undefined;
}

interface Break {
  readonly step: BalanceStep;
  readonly expected: bigint;
}

/**
 * Each balance must be the one before it plus the amount of its row, with the rows from the oldest to the newest or the
 * other way round.
 * @returns the balances at which each account and currency may end: one for each order in which its rows add up.
 * @throws UserError naming the row where the balances break off.
 */
export function checkRunningBalances(steps: readonly BalanceStep[]): ReadonlyMap<string, readonly bigint[]> {
  const ends = new Map<string, readonly bigint[]>();
  for (const [key, own] of Map.groupBy(steps, ({ account, currency }) => `${account} ${currency.code}`)) {
    const orders = [walk(own), walk(own.toReversed())];
    const broken = orders
      .toSorted((a, b) => a.breaks.length - b.breaks.length)
      .at(0)
      ?.breaks.at(0);
    if (broken !== undefined) throw new UserError(messageOf(broken));
    ends.set(
      key,
      orders.flatMap(({ breaks, end }) => (breaks.length === 0 ? (end ?? []) : [])),
    );
  }
  return ends;
}

function walk(steps: readonly BalanceStep[]): { readonly breaks: readonly Break[]; readonly end: bigint | undefined } {
  const breaks: Break[] = [];
  let known: bigint | undefined;
  for (const step of steps) {
    const expected = known === undefined || step.moved === undefined ? undefined : known + step.moved;
    if (expected !== undefined && step.balance !== undefined && expected !== step.balance)
      breaks.push({ step, expected });
    known = step.balance ?? expected;
  }
  return { breaks, end: known };
}

function messageOf({ step, expected }: Break): string {
  const [said, due] = [step.balance ?? 0n, expected].map((minor) => formatMinor(minor, step.currency));
  return `The balance of ${step.place} is ${said} ${step.currency.code}, but the balance before it and the amount give ${due}. The file is incomplete, was changed, or is read wrongly.`;
}
