import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UpstreamError } from "../../../src/errors.ts";
import { fetched, usePaidLink } from "./refund-setup.ts";

const paid = usePaidLink();

describe("refunds of a payment at Omise", () => {
  it("are told with our own ids, and those from the dashboard without", async () => {
    const { omise, charge } = paid();
    const ours = omise.moneyBack.refund(charge, 1_000, { refund: "41" });
    const others = ["", "-1", "4.5", "0x29", "9".repeat(19)].map((refund) =>
      omise.moneyBack.refund(charge, 10, { refund }),
    );
    expect((await fetched(paid())).refunds).toEqual([
      { externalRefundId: ours.id, refundId: 41n, status: "succeeded", amountMinor: 1_000n },
      ...others.map(({ id }) => ({ externalRefundId: id, refundId: null, status: "succeeded", amountMinor: 10n })),
    ]);
  });

  it.each([
    ["closed", "succeeded"],
    ["pending", "pending"],
    ["failed", "failed"],
  ] as const)("that are %s at Omise are %s", async (status, ours) => {
    const { omise, charge } = paid();
    omise.moneyBack.refundsBeginAs = "pending";
    omise.moneyBack.refund(charge, 1_000).status = status;
    expect(await fetched(paid())).toMatchObject({ status: "succeeded", refunds: [{ status: ours }] });
  });

  it("are all told, as many as a charge can have", async () => {
    const { omise, charge } = paid();
    const made = Array.from({ length: 15 }, () => omise.moneyBack.refund(charge, 1).id);
    expect((await fetched(paid())).refunds.map(({ externalRefundId }) => externalRefundId)).toEqual(made);
  });

  it("carry any id and amount of ours there and back", async () => {
    const { omise, charge } = paid();
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), fc.integer({ min: 1, max: 9_900 }), async (id, amount) => {
        charge.refunds.length = 0;
        omise.moneyBack.refund(charge, amount, { refund: id.toString() });
        expect((await fetched(paid())).refunds).toMatchObject([{ refundId: id, amountMinor: BigInt(amount) }]);
      }),
      { numRuns: 25 },
    ); // prettier-ignore
  });

  it("in another currency than the charge's are no answer", async () => {
    const { omise, charge } = paid();
    const refund = omise.moneyBack.refund(charge, 1_000);
    charge.refunds.splice(0, 1, { ...refund, currency: "USD" });
    await expect(fetched(paid())).rejects.toThrow(`a refund ${refund.id} in USD, and of its charge in THB`);
  });
});

describe("disputes of a payment at Omise", () => {
  it("are open until the bank has decided, and then lost or won", async () => {
    const { omise, charge } = paid();
    const dispute = omise.moneyBack.openDispute(charge, 5_000);
    const told = (status: string) => ({
      status: "succeeded",
      disputes: [{ externalDisputeId: dispute.id, status, amountMinor: 5_000n }],
    });
    expect(await fetched(paid())).toMatchObject(told("open"));
    omise.moneyBack.moveDispute(dispute, "pending");
    expect(await fetched(paid())).toMatchObject(told("open"));
    omise.moneyBack.moveDispute(dispute, "lost");
    expect(await fetched(paid())).toMatchObject(told("lost"));
    omise.moneyBack.moveDispute(dispute, "won");
    expect(await fetched(paid())).toMatchObject(told("won"));
  });

  it("in another currency than the charge's are no answer", async () => {
    const { omise, charge } = paid();
    charge.dispute = { ...omise.moneyBack.openDispute(charge), currency: "USD" };
    await expect(fetched(paid())).rejects.toThrow(UpstreamError);
  });
});

describe("a payment at Omise whose refunds or disputes cannot be asked for", () => {
  it.each(["/refunds", "/charges/chrg_"])("is not told in part (%s)", async (part) => {
    const { omise } = paid();
    omise.beforeAnswer = ({ path }) => {
      const isRefunds = path.includes("/refunds");
      if (part === "/refunds" ? isRefunds : path.startsWith(part) && !isRefunds) {
        omise.failNext("GET", { kind: "lose_call" });
      }
    };
    await expect(fetched(paid())).rejects.toThrow(UpstreamError);
  });
});
