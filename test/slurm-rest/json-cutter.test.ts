import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonCutter } from "../../src/slurm/rest/json-cutter.ts";

function cut(text: string, options: { cuts?: readonly number[]; maxPartBytes?: number } = {}) {
  const bytes = Buffer.from(text);
  const cutter = new JsonCutter({ key: "jobs", maxPartBytes: options.maxPartBytes ?? 1_000_000 });
  const elements: unknown[] = [];
  const borders = [
    0,
    ...(options.cuts ?? []).map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  for (const [at, start] of borders.slice(0, -1).entries()) {
    cutter.feed(bytes.subarray(start, borders[at + 1]));
    for (const element of cutter.takeElements()) elements.push(JSON.parse(element.toString("utf8")));
  }
  return { elements, finish: () => cutter.finish() };
}

describe("the long list of an answer", () => {
  it("comes out element by element, however the bytes arrive, and the rest is as it was", () => {
    const documents = fc.record({
      before: fc.dictionary(fc.string(), fc.jsonValue()),
      jobs: fc.array(fc.jsonValue()),
      after: fc.dictionary(fc.string(), fc.jsonValue()),
      indent: fc.constantFrom(0, 1, 2),
      cuts: fc.array(fc.nat(), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(documents, ({ before, jobs, after, indent, cuts }) => {
        const others = (part: Readonly<Record<string, unknown>>) =>
          Object.entries(part).filter(([key]) => key !== "jobs" && key !== "__proto__");
        const whole: Record<string, unknown> = Object.fromEntries([
          ...others(before),
          ["jobs", jobs],
          ...others(after),
        ]);
        const { elements, finish } = cut(JSON.stringify(whole, null, indent), { cuts });
        const plain: unknown = JSON.parse(JSON.stringify(jobs));
        expect(elements).toEqual(plain);
        expect(finish()).toEqual({ ...JSON.parse(JSON.stringify(whole)), jobs: [] });
      }),
      { numRuns: 500 },
    );
  });

  it("is the one at the top, not one of the same name further down", () => {
    const { elements, finish } = cut('{"meta":{"jobs":[1]},"list":[{"jobs":[2]}],"jobs":[3],"x":"jobs","y":[4]}');
    expect(elements).toEqual([3]);
    expect(finish()).toEqual({ meta: { jobs: [1] }, list: [{ jobs: [2] }], jobs: [], x: "jobs", y: [4] });
  });

  it("is found under an escaped key", () => {
    expect(cut(String.raw`{"j\u006fbs":[1,2]}`).elements).toEqual([1, 2]);
  });

  it("may be null", () => {
    const { elements, finish } = cut('{"jobs": null}');
    expect(elements).toEqual([]);
    expect(finish()).toEqual({ jobs: null });
  });

  it("never passes as complete when the document was cut", () => {
    const whole = JSON.stringify({ meta: { a: [1, "]}"] }, jobs: [{ id: 1, name: 'x"]' }, { id: 2 }], errors: [] });
    for (let length = 0; length < whole.length; length++) {
      const { elements, finish } = cut(whole.slice(0, length));
      expect(elements.length).toBeLessThanOrEqual(2);
      expect(finish).toThrow();
    }
  });

  it("never passes as complete when brackets do not match or places are empty", () => {
    for (const text of ['{"jobs":[1}', '{"jobs":[1]]', '{"jobs":[]}}', '{"jobs":[1]} x', '{"jobs":[1] [2]}', "[1]]"]) {
      expect(() => cut(text).finish(), text).toThrow();
    }
    for (const text of ['{"jobs":[,1]}', '{"jobs":[1,,2]}', '{"jobs":[1,]}']) {
      expect(() => cut(text), text).toThrow("the list has an empty place");
    }
  });

  it("is refused when one part is larger than allowed", () => {
    expect(() => cut(JSON.stringify({ jobs: ["x".repeat(100)] }), { maxPartBytes: 50 })).toThrow(
      "larger than 50 bytes",
    );
    expect(() => cut(JSON.stringify({ a: "x".repeat(100) }), { maxPartBytes: 50 })).toThrow("larger than 50 bytes");
    expect(cut(JSON.stringify({ jobs: ["x".repeat(30), "y".repeat(30)] }), { maxPartBytes: 50 }).elements).toHaveLength(
      2,
    );
  });
});
