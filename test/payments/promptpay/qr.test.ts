import fc from "fast-check";
import { parse } from "promptparse";
import { anyId, billPayment } from "promptparse/validate";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { promptPayPayload } from "../../../src/payments/promptpay/qr.ts";

const THB = { code: "THB", minorDigits: 2 };
const MOBILE = { kind: "person", id: "0812345678" } as const;
const BILLER = { kind: "biller", billerId: "010753600031501" } as const;
const REQUEST = { target: BILLER, amountMinor: 123_450n, currency: THB, reference: "R2026000123" };

/** CRC-16/CCITT-FALSE bit by bit: polynomial 0x1021, start 0xFFFF, not reflected. */
function crc16(text: string): string {
  let crc = 0xffff;
  for (const byte of Buffer.from(text, "ascii")) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}

test("the check sum of this test is CRC-16/CCITT-FALSE", () => {
  expect(crc16("123456789")).toBe("29B1");
});

describe("the QR of a biller", () => {
  test("carries biller, reference and amount as the Thai QR Payment Standard writes them", () => {
    const payload = promptPayPayload(REQUEST);
    const merchant = ["0016A000000677010112", "0115010753600031501", "0211R2026000123"].join("");
    const fields = ["000201", "010212", `3054${merchant}`, "5303764", "54071234.50", "5802TH", "6304"];
    expect(payload.slice(0, -4)).toBe(fields.join(""));
    expect(payload.slice(-4)).toBe(crc16(payload.slice(0, -4)));
  });

  test("is read back by a reader of PromptPay codes, whatever the amount and the reference", () => {
    const references = fc.stringMatching(/^[A-Z0-9]{1,20}$/u);
    fc.assert(
      fc.property(fc.bigInt(1n, 999_999_999_999n), references, (amountMinor, reference) => {
        const payload = promptPayPayload({ ...REQUEST, amountMinor, reference });
        const amount = Number(amountMinor) / 100;
        expect(billPayment(payload)).toEqual({ billerId: BILLER.billerId, ref1: reference, amount });
        expect(payload.slice(-4)).toBe(crc16(payload.slice(0, -4)));
      }),
    );
  });
});

describe("the QR of a PromptPay ID", () => {
  test.each([
    ["0812345678", "MSISDN"],
    ["0994000158378", "NATID"],
    ["004999000288505", "EWALLETID"],
  ])("names %s as %s", (id, type) => {
    const payload = promptPayPayload({ ...REQUEST, target: { kind: "person", id } });
    expect(anyId(payload)).toEqual({ type, target: id, amount: 1234.5 });
  });

  test("writes a mobile number with its country code, and the reference as bill number and label", () => {
    const code = parse(promptPayPayload({ ...REQUEST, target: MOBILE }), true);
    expect(code?.getTagValue("29", "01")).toBe("0066812345678");
    expect(code?.getTagValue("62", "01")).toBe("R2026000123");
    expect(code?.getTagValue("62", "05")).toBe("R2026000123");
  });
});

test("the amount is exact from the smallest to the largest", () => {
  for (const [amountMinor, text] of [
    [1n, "0.01"],
    [10n, "0.10"],
    [100n, "1.00"],
    [999_999_999_999n, "9999999999.99"],
  ] as const)
    // prettier-ignore
    expect(parse(promptPayPayload({ ...REQUEST, amountMinor }), true)?.getTagValue("54")).toBe(text);
});

test.each([
  ["an amount of nothing", { amountMinor: 0n }, "from 0.01 to 9999999999.99 THB; the amount is 0.00 THB"],
  ["a negative amount", { amountMinor: -1n }, "the amount is -0.01 THB"],
  ["an amount too large", { amountMinor: 1_000_000_000_000n }, "the amount is 10000000000.00 THB"],
  ["another currency", { currency: { code: "USD", minorDigits: 2 } }, "PromptPay pays in THB only; the amount is in USD"], // prettier-ignore
  ["a reference with a hyphen", { reference: "R-2026-000123" }, "1 to 20 characters of A-Z and 0-9"],
  ["a reference too long", { reference: "R".repeat(21) }, "1 to 20 characters"],
  ["no reference", { reference: "" }, "1 to 20 characters"],
])("%s is refused", (_, wrong, message) => {
  expect(() => promptPayPayload({ ...REQUEST, ...wrong })).toThrow(UserError);
  expect(() => promptPayPayload({ ...REQUEST, ...wrong })).toThrow(message);
});
