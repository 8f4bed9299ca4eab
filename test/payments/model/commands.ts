/** What people, providers, banks and bad luck do, in any order. */
import fc from "fast-check";
import { issueCreditNote, type CreditRequest } from "../../../src/billing/credit-notes.ts";
import { receiptLines } from "../../../src/billing/queries.ts";
import { markPaid, moveCredit, revertManual, voidReceipt } from "../../../src/billing/settle.ts";
import { startCheckout } from "../../../src/payments/checkout.ts";
import type { PaymentStatus } from "../../../src/payments/provider.ts";
import { orderRefund, refundablePayments } from "../../../src/payments/refunds.ts";
import { expectInvariants } from "./invariants.ts";
import { ADMIN, type World } from "./world.ts";

type Act = (world: World) => Promise<void>;

class Command implements fc.AsyncCommand<object, World> {
  readonly #name: string;
  readonly #act: Act;

  constructor(name: string, act: Act) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, world: World): Promise<void> {
    await this.#act(world);
    await expectInvariants(world);
  }

  toString(): string {
    return this.#name;
  }
}

const pick = fc.nat({ max: 50 });

function command<Given>(name: string, given: fc.Arbitrary<Given>, act: (world: World, given: Given) => Promise<void>) {
  return given.map((values) => new Command(`${name} ${fc.stringify(values)}`, (world) => act(world, values)));
}

function onReceipt<Given>(
  name: string,
  given: fc.Arbitrary<Given>,
  act: (world: World, id: bigint, given: Given) => Promise<unknown>,
) {
  return command(name, fc.tuple(pick, given), async (world, [which, values]) => {
    const receipt = await world.receipt(which);
    if (receipt !== undefined) await world.attempt(() => act(world, receipt.id, values));
  });
}

const nothing = fc.constant(null);
/** A part of something, in hundredths; more than all of it, too. */
const part = fc.constantFrom(1n, 50n, 100n, 150n);

/** A payer who goes all the way, whether or not somebody else does something in between. */
const paying = [
  onReceipt("pay", fc.tuple(fc.nat({ max: 1 }), fc.boolean()), async (world, id, [which, isReported]) => {
    const provider = world.providers[which];
    const by = { actor: world.user };
    await startCheckout(world.payments, id, by, { lang: "en", provider: provider?.name });
    const open = (await world.allPayments()).find((one) => one.provider === provider?.name && one.status === "pending");
    if (provider === undefined || open === undefined) return;
    provider.end(open.externalPaymentId, "succeeded");
    if (isReported) for (const body of provider.outbox.splice(0)) await world.deliver(provider, body);
    await world.background();
  }),
];

const people = [
  command("bill", nothing, (world) => world.attempt(() => world.bill())),
  onReceipt("checkout", fc.nat({ max: 1 }), (world, id, provider) =>
    startCheckout(world.payments, id, { actor: world.user }, { lang: "en", provider: world.providers[provider]?.name }),
  ),
  onReceipt("double click", fc.nat({ max: 1 }), (world, id, provider) =>
    Promise.all(
      [1, 2, 3].map(() =>
        startCheckout(
          world.payments,
          id,
          { actor: world.user },
          { lang: "en", provider: world.providers[provider]?.name },
        ),
      ),
    ),
  ),
  onReceipt("mark paid", fc.option(part, { nil: undefined }), async (world, id, share) => {
    const due = (await world.receipts()).find((one) => one.id === id)?.dueMinor ?? 0n;
    await markPaid(world.billing, id, "a transfer", ADMIN, share === undefined ? undefined : (due * share) / 100n);
  }),
  onReceipt("revert", nothing, (world, id) => revertManual(world.billing, id, "a mistake", ADMIN)),
  onReceipt("void", nothing, (world, id) => voidReceipt(world.billing, id, "a mistake", ADMIN)),
  onReceipt("credit", fc.constantFrom("full", "release", "lines", "corrections"), async (world, id, scope) => {
    const [line] = await receiptLines(world.db, id);
    const requests: Readonly<Record<string, CreditRequest>> = {
      full: { scope: "full", releaseJobs: false },
      release: { scope: "full", releaseJobs: true },
      lines: { scope: "lines", amounts: new Map([[1, ((line?.amountMinor ?? 0n) + 2n) / 3n]]) },
      corrections: { scope: "corrections" },
    };
    const request = requests[scope];
    if (request !== undefined) await issueCreditNote(world.billing, id, request, "a reason", ADMIN);
  }),
  onReceipt("refund", fc.tuple(part, fc.boolean()), async (world, receiptId, [share, isByHand]) => {
    const owed = -((await world.receipts()).find((one) => one.id === receiptId)?.dueMinor ?? 0n);
    const [payment] = isByHand ? [] : await refundablePayments({ ...world.payments, db: world.db }, receiptId);
    const amountMinor = (owed * share) / 100n;
    await orderRefund(world.payments, { receiptId, paymentId: payment?.id, amountMinor, text: "owed back" }, ADMIN);
  }),
  command("move credit", fc.tuple(pick, pick), async (world, [from, to]) => {
    const [one, other] = [await world.receipt(from), await world.receipt(to)];
    if (one === undefined || other === undefined) return;
    await world.attempt(() => moveCredit(world.billing, { fromId: one.id, toId: other.id }, ADMIN));
  }),
];

const ends = fc.constantFrom<Exclude<PaymentStatus, "pending">[]>(
  "succeeded",
  "succeeded",
  "processing",
  "failed",
  "canceled",
  "expired",
);

type Place = ReturnType<World["paperPayments"]>[number];

/** Something happens to one of the payments that a provider has, if there is one to which it can. */
function atProvider<Given>(
  name: string,
  given: fc.Arbitrary<Given>,
  isPossible: (place: Place) => boolean,
  act: (world: World, place: Place, given: Given) => void,
) {
  return command(name, fc.tuple(pick, given), async (world, [which, values]) => {
    const all = world.paperPayments().filter(isPossible);
    const place = all[which % Math.max(1, all.length)];
    if (place !== undefined) act(world, place, values);
  });
}

const anyOne = (): boolean => true;
const isOpen = ({ provider, id }: Place): boolean =>
  ["pending", "processing"].includes(provider.payments.get(id)?.status ?? "");
const hasLeft = ({ provider, id }: Place): boolean => provider.leftOf(id) > 0n;
const hasRefunds = ({ provider, id }: Place): boolean => (provider.payments.get(id)?.refunds.size ?? 0) > 0;
const hasDisputes = ({ provider, id }: Place): boolean => (provider.payments.get(id)?.disputes.size ?? 0) > 0;

const providers = [
  atProvider("payment ends", ends, isOpen, (_world, { provider, id }, status) => void provider.end(id, status)),
  atProvider("refund in the dashboard", part, hasLeft, (_world, { provider, id }, share) => {
    const amount = (provider.leftOf(id) * (share > 100n ? 100n : share)) / 100n;
    if (amount > 0n) provider.refundOutside(id, amount);
  }),
  atProvider("refunds go slowly", fc.boolean(), anyOne, (_world, { provider }, isSlow) => {
    provider.refundsAre = isSlow ? "pending" : "succeeded";
  }),
  atProvider("refund ends", fc.boolean(), hasRefunds, (_world, { provider, id }, isGood) => {
    for (const refund of provider.payments.get(id)?.refunds.values() ?? [])
      provider.endRefund(id, refund.externalRefundId, isGood ? "succeeded" : "failed");
  }),
  atProvider("dispute", nothing, hasLeft, (_world, { provider, id }) => {
    const left = provider.leftOf(id);
    if (left > 0n) provider.dispute(id, left);
  }),
  atProvider("bank decides", fc.boolean(), hasDisputes, (_world, { provider, id }, isWon) => {
    for (const dispute of provider.payments.get(id)?.disputes.values() ?? [])
      provider.decide(id, dispute.externalDisputeId, isWon ? "won" : "lost");
  }),
  command("provider goes or comes", fc.nat({ max: 1 }), async (world, which) => {
    const provider = world.providers[which];
    if (provider !== undefined) provider.isAway = !provider.isAway;
  }),
];

/** Of one event: delivered and lost from the outbox, delivered but sent again later, or delivered three times at once. */
const manner = fc.constantFrom("once", "and again", "three at once", "lost");

const world = [
  command("deliver", fc.tuple(fc.nat({ max: 1 }), pick, manner), async (world, [which, index, how]) => {
    const provider = world.providers[which];
    const body = provider?.outbox[index % Math.max(1, provider.outbox.length)];
    if (provider === undefined || body === undefined) return;
    if (how !== "and again") provider.outbox.splice(provider.outbox.indexOf(body), 1);
    if (how === "lost") return;
    const copies = how === "three at once" ? [body, body, body] : [body];
    await world.attempt(() => Promise.all(copies.map((one) => world.deliver(provider, one))));
  }),
  command("background", nothing, (world) => world.attempt(() => world.background())),
  command("time passes", fc.constantFrom(11, 700, 90_000), async (world, seconds) => world.pass(seconds)),
  command("crash soon", fc.nat({ max: 25 }), async (world, steps) => world.crashIn(steps)),
];

/** Commands in random order; what can go wrong in more ways comes more often. */
export const commands = fc.commands(
  [...people, ...paying, ...paying, ...paying, ...providers, ...providers, ...world, ...world],
  { maxCommands: 40, size: "max" },
);
