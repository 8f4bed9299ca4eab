import { describe, expect, it } from "vitest";
import {
  countDays,
  daysOf,
  parseDay,
  presetDays,
  readWindow,
  windowBefore,
  windowParams,
  wordsOfProblem,
} from "../../src/web/routes/support/window.ts";

const TODAY = "2026-10-15";

describe("the days of an address", () => {
  it("are the present month so far when it names none", () => {
    expect(readWindow({}, TODAY)).toEqual({
      window: { fromDay: "2026-10-01", toDay: TODAY, preset: "thisMonth" },
      problem: null,
    });
    expect(readWindow({ start: "", before: " " }, TODAY).window.preset).toBe("thisMonth");
  });

  it("are both included, and named by the preset they are", () => {
    expect(readWindow({ start: "2026-09-01", before: "2026-09-30" }, TODAY).window.preset).toBe("lastMonth");
    expect(readWindow({ start: "2026-07-18", before: TODAY }, TODAY).window.preset).toBe("days90");
    expect(readWindow({ start: "2026-09-02", before: "2026-09-30" }, TODAY).window.preset).toBe("custom");
    expect(countDays(presetDays("days90", TODAY))).toBe(90);
  });

  it("reach from the beginning with an end alone, and until today with a start alone", () => {
    expect(readWindow({ before: "2026-09-30" }, TODAY).window).toMatchObject({
      fromDay: "1970-01-01",
      toDay: "2026-09-30",
    });
    expect(readWindow({ start: "2026-02-03" }, TODAY).window).toMatchObject({ fromDay: "2026-02-03", toDay: TODAY });
    expect(readWindow({ start: "2027-01-01" }, TODAY).window).toMatchObject({
      fromDay: "2027-01-01",
      toDay: "2027-01-01",
    });
  });

  it.each(["31-10-2026", "2026-02-30", "2026-13-01", "yesterday", "2026-1-1", "1969-12-31", "20261031"])(
    "are refused when one is %j, and the present month stands in",
    (text) => {
      const { window, problem } = readWindow({ start: text }, TODAY);
      expect(window.preset).toBe("thisMonth");
      expect(problem).toEqual({ kind: "notADay", field: "start", text });
      expect(problem === null ? "" : wordsOfProblem(problem)).toContain("YYYY-MM-DD");
    },
  );

  it("are refused the wrong way round", () => {
    expect(readWindow({ start: "2026-10-02", before: "2026-10-01" }, TODAY).problem).toEqual({
      kind: "backwards",
      fromDay: "2026-10-02",
      toDay: "2026-10-01",
    });
  });

  it("never reach a year that has five digits", () => {
    expect(parseDay("9999-12-31")).toBe("9998-12-31");
  });

  it("say as little as they can, so that a bookmark of this month moves along", () => {
    expect(windowParams(readWindow({}, TODAY).window)).toEqual({});
    expect(windowParams(readWindow({ before: "2026-09-30" }, TODAY).window)).toEqual({ before: "2026-09-30" });
    expect(windowParams(readWindow({ start: "2026-09-01", before: "2026-09-30" }, TODAY).window)).toEqual({
      start: "2026-09-01",
      before: "2026-09-30",
    });
  });
});

describe("the days compared with", () => {
  it.each([
    ["2026-10-01", "2026-10-31", "2026-09-01", "2026-09-30"],
    ["2026-10-01", "2026-10-15", "2026-09-01", "2026-09-15"],
    ["2026-03-01", "2026-03-30", "2026-02-01", "2026-02-28"],
    ["2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"],
    ["2026-10-05", "2026-10-07", "2026-10-02", "2026-10-04"],
    ["2026-01-01", "2026-02-28", "2025-11-03", "2025-12-31"],
  ])("of %s to %s are %s to %s", (fromDay, toDay, fromBefore, toBefore) => {
    expect(windowBefore({ fromDay, toDay })).toEqual({ fromDay: fromBefore, toDay: toBefore });
  });

  it("are listed one by one", () => {
    expect(daysOf({ fromDay: "2026-02-27", toDay: "2026-03-02" })).toEqual([
      "2026-02-27",
      "2026-02-28",
      "2026-03-01",
      "2026-03-02",
    ]);
  });
});
