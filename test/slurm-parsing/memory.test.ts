import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMemory, parseReqMem, parseRss, readRssKib } from "../../src/slurm/memory.ts";
import { parsed } from "../../src/slurm/parsed.ts";

describe("resident set sizes", () => {
  it.each([
    ["4644K", 4644],
    ["3M", 3072],
    ["0", 0],
    ["4755456", 4644],
    ["1.50G", 1_572_864],
    ["2T", 2_147_483_648],
    ["511", 0],
    ["512", 1],
  ])("read %s as %d KiB", (text, kib) => {
    expect(parseRss(text)).toEqual(parsed(kib));
    expect(readRssKib(Buffer.from(text), 0, text.length)).toBe(kib);
  });

  it("are null when nothing was measured", () => {
    expect(parseRss("")).toEqual(parsed(null));
  });
});

describe("requested memory", () => {
  it.each([
    ["2Gn", 2048, "node"],
    ["2Gc", 2048, "cpu"],
    ["500Mc", 500, "cpu"],
    ["4G", 4096, "job"],
    ["16?", 16, "job"],
    ["2000", 2000, "job"],
    ["0n", 0, "node"],
  ] as const)("reads %s as %d MiB per %s", (text, memMib, per) => {
    expect(parseReqMem(text)).toEqual(parsed({ memMib, per }));
  });

  it("may be unknown, but not nonsense", () => {
    expect(parseReqMem("?")).toEqual(parsed(null));
    expect(parseReqMem("")).toEqual(parsed(null));
    for (const text of ["lots", "n", "-1G", "1.G", "1GG"]) expect(parseReqMem(text).ok).toBe(false);
  });
});

describe("amounts with decimals", () => {
  it("are exact to the nearest unit, unlike floating point", () => {
    fc.assert(
      fc.property(fc.nat(9_000_000), fc.nat(99), (whole, hundredths) => {
        const text = `${whole}.${String(hundredths).padStart(2, "0")}G`;
        const exact = (BigInt(whole) * 100n + BigInt(hundredths)) * 1024n;
        const nearest = (2n * exact + 100n) / 200n;
        expect(parseMemory(text, { plainPower: 2, resultPower: 2 })).toEqual(parsed(Number(nearest)));
      }),
    );
  });
});
