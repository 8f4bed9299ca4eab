import fc from "fast-check";
import { expect, test } from "vitest";
import { readCsv } from "../../../src/payments/bank/csv.ts";
import { lineKeys } from "../../../src/payments/bank/line-key.ts";
import { KRUNGTHAI_LIKE } from "./csv-samples.ts";
import { THB } from "./thb.ts";

const LINE = {
  bookedOn: "2026-11-17",
  amountMinor: 100n,
  currency: "THB",
  account: "1",
  text: "t",
  bankReference: "r",
  counterparty: "c",
  place: "line 1",
  isReversal: false,
};

test("a key is SHA-256 in hex, and does not depend on where the line stands in its file", () => {
  const [key] = lineKeys({ lines: [LINE] });
  expect(key).toMatch(/^[0-9a-f]{64}$/u);
  expect(lineKeys({ lines: [{ ...LINE, place: "line 99" }] })).toEqual([key]);
});

test("everything that tells two lines apart changes the key", () => {
  const others = [
    { bookedOn: "2026-11-18" },
    { amountMinor: -100n },
    { currency: "USD" },
    { account: "2" },
    { text: "u" },
    { bankReference: "s" },
  ];
  const keys = lineKeys({ lines: [LINE, ...others.map((other) => ({ ...LINE, ...other }))] });
  expect(new Set(keys).size).toBe(others.length + 1);
});

test("two equal transfers on one day have two keys, the same ones every time", () => {
  const { lines } = readCsv(KRUNGTHAI_LIKE, { currency: THB });
  const keys = lineKeys({ lines });
  expect(new Set(keys).size).toBe(3);
  expect(lineKeys({ lines })).toEqual(keys);
});

test("statements that overlap by whole days share exactly the keys of the shared days, in either order", () => {
  const days = fc.array(fc.record({ day: fc.integer({ min: 10, max: 19 }), amount: fc.integer({ min: 1, max: 3 }) }), { maxLength: 30 }); // prettier-ignore
  fc.assert(
    fc.property(days, fc.boolean(), (movements, isReversed) => {
      const all = movements.map(({ day, amount }) => ({ ...LINE, bookedOn: `2026-11-${day}`, amountMinor: BigInt(amount) })); // prettier-ignore
      const later = all.filter(({ bookedOn }) => bookedOn >= "2026-11-15");
      const keys = lineKeys({ lines: isReversed ? all.toReversed() : all });
      const laterKeys = lineKeys({ lines: later });
      expect(new Set(keys).size).toBe(all.length);
      expect(keys.filter((key) => laterKeys.includes(key))).toHaveLength(later.length);
    }),
  );
});
