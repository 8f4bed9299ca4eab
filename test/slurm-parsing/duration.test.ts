import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration, parseSeconds } from "../../src/slurm/duration.ts";
import { malformed, parsed } from "../../src/slurm/parsed.ts";

describe("durations", () => {
  it.each([
    ["00:03.909", 3909n],
    ["00:00.002", 2n],
    ["01:15", 75_000n],
    ["59:59.608", 3_599_608n],
    ["01:02:03", 3_723_000n],
    ["1-02:03:04", 93_784_000n],
    ["7-00:00:00", 604_800_000n],
    ["100:00:00", 360_000_000n],
    ["365-23:59:59", 31_622_399_000n],
    ["1-12", 129_600_000n],
    ["1-12:30", 131_400_000n],
    ["00:01.5", 1500n],
    ["00:01.123456", 1123n],
    ["00:00:00", 0n],
  ])("read %s as %d ms", (text, ms) => {
    expect(parseDuration(text)).toEqual(parsed(ms));
  });

  it.each(["UNLIMITED", "INVALID", "Partition_Limit", "unlimited", "Unknown", ""])(
    "know that %j is no length",
    (text) => {
      expect(parseDuration(text)).toEqual(parsed(null));
    },
  );

  it.each([
    "5",
    "-00:01",
    "00:60",
    "00:61:00",
    "1-24:00:00",
    "1:2:3:4",
    "00:",
    ":10",
    "00:01.",
    "1-",
    "a:b",
    "00:01.x",
    "1-1-1:00",
    "00 :01",
    "999999999999999999:00",
    "00:00.1234567890",
    "99999999999-00:00:00",
  ])("refuse %j", (text) => {
    expect(parseDuration(text)).toEqual(malformed(`"${text}" is not a duration`));
  });

  it("survive being written and read again", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual(parsed(ms));
      }),
    );
  });

  it("never throw, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseDuration(text).ok === "boolean"));
  });
});

describe("plain seconds", () => {
  it("are digits only", () => {
    expect(parseSeconds("604800")).toEqual(parsed(604_800));
    expect(parseSeconds("")).toEqual(parsed(null));
    for (const text of ["-5", "1.5", "1e3", " 1", "99999999999999999999"]) expect(parseSeconds(text).ok).toBe(false);
  });
});
