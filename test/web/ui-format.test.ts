import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundHalfEven } from "../../src/rating/money.ts";
import { formatter, fromEpochSeconds, minorDigits } from "../../src/web/format.ts";

const en = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const th = formatter({ lang: "th", timeZone: "Asia/Bangkok", currency: "THB" });
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("money", () => {
  it("shows grouped minor units with the currency's mark and a real minus", () => {
    expect(en.money(1_248_327n)).toBe("฿12,483.27");
    expect(th.money(-5n)).toBe("−฿0.05");
    expect(en.moneyParts(-1_248_327n)).toEqual({ sign: "−", mark: "฿", digits: "12,483.27" });
  });

  it("has as many decimals as the currency has by ISO 4217", () => {
    expect(["JPY", "THB", "KWD"].map(minorDigits)).toEqual([0, 2, 3]);
    const of = (currency: string): string =>
      plain(formatter({ lang: "en", timeZone: "UTC", currency }).money(1_234_567n));
    expect(of("JPY")).toBe("¥1,234,567");
    expect(of("KWD")).toBe("KWD 1,234.567");
  });

  it("loses no unit of any amount, however large", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (minor) => {
        const digits = en.money(minor).replace("−", "-").replace(/[฿,.]/g, "");
        expect(BigInt(digits)).toBe(minor);
        const { sign, mark, digits: shown } = en.moneyParts(minor);
        expect(sign + mark + shown).toBe(en.money(minor));
      }),
    );
  });

  it("shows a rate with its six places", () => {
    expect(en.rate(1_250_000n)).toBe("฿1.250000");
    expect(en.rate(140_000_000n)).toBe("฿140.000000");
    expect(en.rate(1_250_000n, 2)).toBe("฿1.25");
  });
});

describe("quantities", () => {
  it("come from exact fractions, half to even", () => {
    expect(en.hours(192_240n, 4)).toBe("53.4000");
    expect(en.gibHours(64n * 1024n * 12_015n, 4)).toBe("213.6000");
    expect(en.decimal(5n, 1000n, 2)).toBe("0.00");
    expect(en.decimal(15n, 1000n, 2)).toBe("0.02");
    expect(en.decimal(-15n, 1000n, 2)).toBe("−0.02");
    expect(en.decimal(-1n, 1000n, 2)).toBe("0.00");
  });

  it("are at most half a step from the fraction, and a tie is even", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (numerator, denominator) => {
          const rounded = roundHalfEven(numerator, denominator);
          const twiceOff = 2n * (numerator - rounded * denominator);
          const size = twiceOff < 0n ? -twiceOff : twiceOff;
          expect(size <= denominator).toBe(true);
          if (size === denominator) expect(rounded % 2n).toBe(0n);
        },
      ),
    );
  });

  it("show shares and changes with a sign and a space before the percent", () => {
    expect(en.percentChange(112n, 100n)).toBe("+12\u00a0%");
    expect(en.percentChange(96n, 100n)).toBe("−4\u00a0%");
    expect(en.percentChange(1001n, 1000n)).toBe("0\u00a0%");
    expect(en.percentChange(5n, 0n)).toBeNull();
    expect(en.percent(31n, 1000n)).toBe("3.1\u00a0%");
    expect(en.percent(1n, 0n)).toBeNull();
    expect(en.integer(24_918)).toBe("24,918");
  });

  it("show durations without splitting off days", () => {
    expect([0, 12_015, 86_400, 3600 * 51 + 1].map((s) => en.duration(s))).toEqual([
      "0:00:00",
      "3:20:15",
      "24:00:00",
      "51:00:01",
    ]);
    expect([en.age(130), en.age(7200), en.age(3), th.age(120)]).toEqual([
      "2 minutes old",
      "2 hours old",
      "seconds old",
      "2 นาทีที่แล้ว",
    ]);
    expect([en.span(0), en.span(86_400)]).toEqual(["0 seconds", "1 day"]);
  });
});

describe("dates", () => {
  const instant = new Date("2026-10-31T15:14:05Z");

  it("are in the site's zone, in the Buddhist year for Thai readers", () => {
    expect(en.date(instant)).toBe("31 Oct 2026");
    expect(en.dateLong(instant)).toBe("31 October 2026");
    expect(th.dateLong(instant)).toBe("31 ตุลาคม 2569");
    expect(en.dateFull("2026-10-31")).toBe("Saturday, 31 October 2026");
    expect(th.dateFull("2026-10-31")).toBe("วันเสาร์ที่ 31 ตุลาคม 2569");
    expect(en.dateTimeShort(instant)).toBe("31 Oct 22:14");
    expect(th.dateTimeShort(instant)).toBe("31 ต.ค. 22:14");
    expect(en.dateTime(fromEpochSeconds(instant.getTime() / 1000))).toBe("31 October 2026, 22:14");
    expect(en.dateTimeZone(instant)).toBe("31 Oct 2026, 22:14:05 GMT+7");
    expect(en.date(new Date("2026-10-31T17:00:00Z"))).toBe("1 Nov 2026");
    expect([en.monthYear(instant), en.monthName(instant), en.monthShort(instant)]).toEqual([
      "October 2026",
      "October",
      "Oct",
    ]);
  });

  it("keep a plain day that day in every zone", () => {
    const west = formatter({ lang: "en", timeZone: "America/Los_Angeles", currency: "USD" });
    expect(west.date("2026-01-01")).toBe("1 Jan 2026");
    expect(() => west.date("yesterday")).toThrow(RangeError);
  });

  it("join into ranges that say each part once", () => {
    expect(en.dateRange("2026-10-01", "2026-10-31")).toBe("1–31 October 2026");
    expect(th.dateRange("2026-10-01", "2026-10-31")).toBe("1–31 ตุลาคม 2569");
    expect(en.dateRange("2026-09-28", "2026-10-03")).toBe("28 Sep – 3 Oct 2026");
    expect(en.dateRange("2025-12-30", "2026-01-02")).toBe("30 Dec 2025 – 2 Jan 2026");
    expect(en.dateRange("2026-10-31", "2026-10-31")).toBe("31 October 2026");
  });
});
