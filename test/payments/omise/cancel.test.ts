import { describe, expect, it } from "vitest";
import { UpstreamError } from "../../../src/errors.ts";
import { rateLimited, type Fault } from "./double.ts";
import type { DoubleLink } from "./double-books.ts";
import { usePaidLink } from "./refund-setup.ts";

const paid = usePaidLink();

function anOpenLink(): DoubleLink {
  return paid().omise.books.addLink({
    amount: 5_000,
    currency: "THB",
    title: "R-2",
    description: "R-2",
    multiple: false,
  });
}

const deletions = () => paid().omise.calls.filter(({ method }) => method === "DELETE");

describe("a link at Omise that is called off", () => {
  it("cannot be paid any more", async () => {
    const { omise, provider } = paid();
    const link = anOpenLink();
    await provider.cancelCheckout(link.id);
    expect(link.deletedAt).not.toBeNull();
    omise.press(link, "card");
    expect(await provider.fetchPayment(link.id)).toMatchObject({ status: "canceled" });
  });

  it("is left as it is when it was paid or deleted already, or is unknown", async () => {
    const { link, provider } = paid();
    const gone = anOpenLink();
    gone.deletedAt = new Date();
    for (const id of [link.id, gone.id, "link_test_0", "chrg_test_1", "link_/../charges"]) {
      await provider.cancelCheckout(id);
    }
    expect(deletions()).toEqual([]);
    expect(link.deletedAt).toBeNull();
  });

  it.each(["paid", "deleted"])("is left as it is when it was %s just now", async (how) => {
    const { omise, provider } = paid();
    const link = anOpenLink();
    omise.failNext("DELETE", { kind: "refuse", status: 400, code: "bad_request", message: "link cannot be destroyed" });
    omise.beforeAnswer = ({ method }) => {
      if (method !== "DELETE") return;
      if (how === "paid") omise.press(link, "card");
      else omise.books.delete(link);
    };
    await provider.cancelCheckout(link.id);
    expect(deletions()).toHaveLength(1);
  });

  it("is closed when it is asked for again after the answer was lost", async () => {
    const { omise, provider } = paid();
    const link = anOpenLink();
    omise.failNext("DELETE", { kind: "lose_answer" });
    await expect(provider.cancelCheckout(link.id)).rejects.toThrow(UpstreamError);
    await provider.cancelCheckout(link.id);
    expect(link.deletedAt).not.toBeNull();
  });

  const refuse = (status: number, code: string): Fault => ({ kind: "refuse", status, code, message: "not now" });
  it.each<[string, Fault]>([
    ["too many requests", rateLimited(3)],
    ["a breakdown", refuse(500, "internal_error")],
    ["no connection", { kind: "lose_call" }],
    ["a key that may not", refuse(403, "not_authorized")],
    ["a refusal while it is open", refuse(400, "bad_request")],
  ])("stays open, and that is told, after %s", async (_, fault) => {
    const { omise, provider } = paid();
    const link = anOpenLink();
    omise.failNext("DELETE", fault);
    await expect(provider.cancelCheckout(link.id)).rejects.toThrow(UpstreamError);
    expect(link.deletedAt).toBeNull();
  });

  it("can be paid for as long as a QR code of it is on a screen, and that counts", async () => {
    const { omise, provider } = paid();
    const link = anOpenLink();
    omise.press(link, "promptpay");
    await provider.cancelCheckout(link.id);
    expect(await provider.fetchPayment(link.id)).toMatchObject({ status: "pending" });
    omise.books.endCharge(link.charges[0] ?? expect.fail("no charge"), "successful");
    expect(await provider.fetchPayment(link.id)).toMatchObject({ status: "succeeded", amountMinor: 5_000n });
  });
});
