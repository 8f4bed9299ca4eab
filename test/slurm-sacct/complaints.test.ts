import fc from "fast-check";
import { expect, test } from "vitest";
import { Complaints } from "../../src/slurm/sacct/complaints.ts";

function heard(pieces: readonly string[]): Complaints {
  const complaints = new Complaints();
  for (const piece of pieces) complaints.add(piece);
  complaints.finish();
  return complaints;
}

test("an error counts, wherever the stream was cut and whatever else was said", () => {
  const said = "banner of a login node\nsacct: error: slurmdbd is away\nsacct: warning: old option";
  fc.assert(
    fc.property(fc.array(fc.nat(said.length)), (cuts) => {
      const ends = [...cuts, said.length].sort((a, b) => a - b);
      const complaints = heard(ends.map((end, at) => said.slice(ends[at - 1] ?? 0, end)));
      expect(complaints.meanFailure).toBe(true);
      expect(complaints.text).toBe("sacct: error: slurmdbd is away");
    }),
  );
});

test("warnings, and errors in somebody's name, do not count", () => {
  const complaints = heard(["sacct: warning: old option\n", "Terror is a name, and errors happen\n"]);
  expect(complaints.meanFailure).toBe(false);
  expect(complaints.text).toBe("sacct: warning: old option; Terror is a name, and errors happen");
});

test("an error behind endless talk is still heard, and the text stays short", () => {
  const talk = Array.from({ length: 10_000 }, (_, at) => `line ${at} ${"x".repeat(500)}\n`);
  const complaints = heard([...talk, "y".repeat(100_000), "\nsacct: fatal: the end"]);
  expect(complaints.text).toBe("sacct: fatal: the end");
  expect(heard(talk).text.length).toBeLessThanOrEqual(1_000);
});
