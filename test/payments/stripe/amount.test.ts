import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { currencyOf } from "../../../src/rating/money.ts";
import { fromStripeAmount, toStripeAmount } from "../../../src/payments/stripe/amount.ts";
import { currency } from "./setup.ts";

describe("Amounts for Stripe", () => {
  it.each([
    ["THB", 35_792n, 35_792],
    ["JPY", 500n, 500],
    ["KWD", 5_120n, 5_120],
    ["UGX", 500n, 50_000],
    ["ISK", 5n, 500],
    ["MGA", 1_200n, 12],
  ])("of %s: %d of ours is %d of theirs, and back", (code, ours, theirs) => {
    expect(toStripeAmount(ours, currency(code))).toBe(theirs);
    expect(fromStripeAmount(theirs, code.toLowerCase())).toBe(ours);
  });

  it.each([
    ["KWD", 5_124n, "5.124 KWD cannot be paid through Stripe: in KWD the last of the three decimals must be 0"],
    ["MGA", 1_250n, "12.50 MGA cannot be paid through Stripe: in MGA it takes whole units only"],
    ["CLF", 10_000n, "1.0000 CLF cannot be paid through Stripe: it does not take CLF"],
    ["THB", 0n, "0.00 THB cannot be paid through Stripe: the amount must be more than zero"],
    ["THB", 10n ** 17n, "1000000000000000.00 THB cannot be paid through Stripe: the amount is too large"],
  ])("are refused rather than rounded: %s %d", (code, amountMinor, message) => {
    const known = code === "CLF" ? { code, minorDigits: 4 } : currency(code);
    expect(() => toStripeAmount(amountMinor, known)).toThrow(new UserError(message, { status: 422 }));
  });

  it("are not read where they have no counterpart here", () => {
    expect(fromStripeAmount(50_050, "ugx")).toBeUndefined();
    expect(fromStripeAmount(100, "xyz")).toBeUndefined();
    expect(fromStripeAmount(0.5, "thb")).toBeUndefined();
  });

  it("come back as they went, in every currency, or are refused", () => {
    const currencies = Intl.supportedValuesOf("currency").flatMap((code) => currencyOf(code) ?? []);
    fc.assert(
      fc.property(fc.constantFrom(...currencies), fc.bigInt({ min: -10n, max: 10n ** 17n }), (known, amountMinor) => {
        const sent = attempt(() => toStripeAmount(amountMinor, known));
        if (sent === undefined) return;
        expect(sent).toBeGreaterThan(0);
        expect(fromStripeAmount(sent, known.code)).toBe(amountMinor);
      }),
    );
  });
});

function attempt(convert: () => number): number | undefined {
  try {
    return convert();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return undefined;
  }
}
