import { describe, expect, it } from "vitest";
import { ACTIVE_STATES, TERMINAL_STATES } from "../../src/slurm/job-record.ts";
import { parseState } from "../../src/slurm/state.ts";

describe("states", () => {
  it.each(TERMINAL_STATES)("%s is finished", (state) => {
    expect(parseState(state)).toEqual({ state, phase: "finished" });
  });

  it.each(ACTIVE_STATES)("%s is active", (state) => {
    expect(parseState(state)).toEqual({ state, phase: "active" });
  });

  it.each([
    ["CANCELLED by 1002", "CANCELLED"],
    ["CANCELLED+", "CANCELLED"],
    ["OUT_OF_ME+", "OUT_OF_MEMORY"],
    ["NODE_FAIL+", "NODE_FAIL"],
    ["CD", "COMPLETED"],
    ["F", "FAILED"],
    ["TO", "TIMEOUT"],
    ["CA", "CANCELLED"],
    ["NF", "NODE_FAIL"],
    ["OOM", "OUT_OF_MEMORY"],
    ["PR", "PREEMPTED"],
    ["completed", "COMPLETED"],
  ])("%s is %s", (text, state) => {
    expect(parseState(text)).toEqual({ state, phase: "finished" });
  });

  it.each(["R", "PD", "CG"])("the short code %s is active", (code) => {
    expect(parseState(code).phase).toBe("active");
  });

  it.each(["EVAPORATED", "Gone fishing", "RE+", "+", "x"])("%j is unknown and kept as it is", (text) => {
    expect(parseState(text)).toEqual({ state: text, phase: "unknown" });
  });
});
