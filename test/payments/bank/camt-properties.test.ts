import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { readStatement } from "../../../src/payments/bank/read-statement.ts";
import { bookings, collapsed } from "./arbitrary-lines.ts";
import { THB, utf8 } from "./thb.ts";
import { utf16 } from "./write-csv.ts";
import { writeCamt, type CamtStyle } from "./write-camt.ts";

const styles: fc.Arbitrary<CamtStyle> = fc.record({
  version: fc.constantFrom("02", "08", "13"),
  prefix: fc.constantFrom("", "n0:", "camt:"),
  batch: fc.boolean(),
  pretty: fc.boolean(),
});

test("a statement of any version, prefix and layout gives the lines that were written", () => {
  fc.assert(
    fc.property(bookings, styles, fc.boolean(), (written, style, asUtf16) => {
      const xml = writeCamt(written, style);
      const bytes = asUtf16 ? utf16(xml.replace("UTF-8", "UTF-16"), "le") : utf8(xml);
      const { lines, rejects } = readStatement(bytes, { currency: THB });
      expect(rejects).toEqual([]);
      expect(lines).toMatchObject(
        written.map(({ day, minor, text, name, reference }) => ({
          bookedOn: style.batch ? written[0]?.day : day,
          amountMinor: minor,
          currency: "THB",
          account: "1234567890",
          text: collapsed(text, name),
          bankReference: reference,
          counterparty: collapsed(name),
          isReversal: false,
        })),
      );
    }),
  );
});

test("a statement cut anywhere, or with an entry taken out, is refused", () => {
  fc.assert(
    fc.property(bookings, styles, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (written, style, share) => {
      const xml = writeCamt(written, style);
      const bytes = utf8(xml);
      const read = (some: Uint8Array): unknown => readStatement(some, { currency: THB });
      expect(() => read(bytes.subarray(0, Math.floor(share * bytes.length)))).toThrow(UserError);
      const total = written.reduce((sum, { minor }) => sum + minor, 0n);
      const removed = style.batch ? total : (written[0]?.minor ?? 0n);
      const without = xml.replace(/<(?:\w+:)?Ntry>.*?<\/(?:\w+:)?Ntry>/su, "");
      if (removed !== 0n) expect(() => read(utf8(without))).toThrow("do not lead from its opening balance");
    }),
  ); // prettier-ignore
});
