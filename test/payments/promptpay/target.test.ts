import { expect, test } from "vitest";
import { readBillerId, readPromptPayId } from "../../../src/payments/promptpay/target.ts";

test.each([
  ["0812345678", "0812345678"],
  ["081-234-5678", "0812345678"],
  ["+66 81 234 5678", "0812345678"],
  ["0-9940-00158-37-8", "0994000158378"],
  ["004999000288505", "004999000288505"],
])("a PromptPay ID may be a mobile number, a tax id or an e-wallet, with or without punctuation: %s", (text, id) => {
  expect(readPromptPayId(text)).toEqual({ kind: "person", id });
});

test.each(["", "08123", "0212345678", "0994000158379", "12345678901234", "081234567x", "0812345678,0812345678"])(
  "a PromptPay ID that could pay nobody, or somebody else, is refused: %s",
  (text) => {
    expect(readPromptPayId(text)).toBeUndefined();
  },
);

test("a biller id has 15 digits", () => {
  expect(readBillerId("0107 5360 0031 501")).toEqual({ kind: "biller", billerId: "010753600031501" });
  expect(readBillerId("0994000158378")).toBeUndefined();
  expect(readBillerId("01075360003150x")).toBeUndefined();
});
