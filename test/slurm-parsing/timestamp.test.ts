import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsed } from "../../src/slurm/parsed.ts";
import { parseTimestamp } from "../../src/slurm/timestamp.ts";

const at = (iso: string): number => Date.parse(iso) / 1000;

describe("times", () => {
  it("without a zone are UTC", () => {
    expect(parseTimestamp("2026-11-23T09:14:31")).toEqual(parsed(1_795_425_271));
  });

  it.each([
    ["2026-11-23T09:14:31Z", "2026-11-23T09:14:31Z"],
    ["2026-11-23T09:14:31+07:00", "2026-11-23T02:14:31Z"],
    ["2026-11-23T09:14:31-0530", "2026-11-23T14:44:31Z"],
    ["2026-11-23 09:14:31", "2026-11-23T09:14:31Z"],
    ["2026-11-23T09:14:31.250", "2026-11-23T09:14:31Z"],
    ["2026-11-23T09:14:31.5+07:00", "2026-11-23T02:14:31Z"],
    ["1795425271", "2026-11-23T09:14:31Z"],
    ["2028-02-29T00:00:00", "2028-02-29T00:00:00Z"],
    ["2000-02-29T23:59:59", "2000-02-29T23:59:59Z"],
  ])("read %s", (text, iso) => {
    expect(parseTimestamp(text)).toEqual(parsed(at(iso)));
  });

  it.each(["Unknown", "None", "", "N/A", "0", "1970-01-01T00:00:00"])("know that %j is not set", (text) => {
    expect(parseTimestamp(text)).toEqual(parsed(null));
  });

  it.each([
    "2026-02-29T00:00:00",
    "2026-13-01T00:00:00",
    "2026-00-10T00:00:00",
    "2026-04-31T00:00:00",
    "2100-02-29T00:00:00",
    "2026-11-23T24:00:00",
    "2026-11-23T09:60:00",
    "2026-11-23T09:14:60",
    "2026-11-23",
    "2026-11-23T09:14",
    "yesterday",
    "2026-11-23T09:14:31+7",
    "2026-11-23T09:14:31X",
    "2026/11/23T09:14:31",
    "1969-12-31T23:59:59",
    "-5",
    "2026-11-23T09:14:3a",
    "2026-11-23T09:14:31.",
    "123456789012",
  ])("refuse %j", (text) => {
    expect(parseTimestamp(text)).toEqual({ ok: false, reason: `"${text}" is not a time` });
  });

  it("agree with the calendar for every second of two centuries", () => {
    const seconds = fc.integer({ min: 1, max: at("2169-12-31T23:59:59Z") });
    fc.assert(
      fc.property(seconds, fc.integer({ min: -14 * 60, max: 14 * 60 }), (utc, offsetMinutes) => {
        const iso = (value: number): string => new Date(value * 1000).toISOString().slice(0, 19);
        expect(parseTimestamp(iso(utc))).toEqual(parsed(utc));
        if (utc + offsetMinutes * 60 < 0) return;
        const minutes = Math.abs(offsetMinutes);
        const offset = `${offsetMinutes < 0 ? "-" : "+"}${String(Math.trunc(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
        expect(parseTimestamp(iso(utc + offsetMinutes * 60) + offset)).toEqual(parsed(utc));
      }),
    );
  });
});
