import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UpstreamError } from "../../src/errors.ts";
import { readUsage, sreportUsage } from "../../src/slurm/sacct/sreport.ts";
import { FakeSlurm } from "./fake-slurm.ts";

const USAGE = captured("sreport-usage.psv");
const HOUR = { from: Date.UTC(2026, 10, 24, 21) / 1_000, to: Date.UTC(2026, 10, 24, 22) / 1_000 };
const { signal } = new AbortController();

function captured(name: string): string {
  return readFileSync(join(import.meta.dirname, "../data/slurm-22.05", name), "utf8");
}

let slurm: FakeSlurm;
beforeEach(() => {
  slurm = new FakeSlurm();
});
afterEach(() => {
  slurm.remove();
});

describe("usage by account and user", () => {
  test("has each user's own, and each account's with all below it", async () => {
    slurm.prints("sreport", USAGE);
    const rows = await sreportUsage(slurm.options(), HOUR, signal);
    expect(rows).toHaveLength(13);
    expect(rows).toContainEqual({
      cluster: "testbed",
      account: "gov-health",
      user: "carol",
      seconds: new Map([
        ["cpu", 56n],
        ["mem", 57_344n],
        ["node", 9n],
        ["billing", 294n],
        ["gres/gpu", 14n],
      ]),
    });
    const cpuOf = (wanted: (row: (typeof rows)[number]) => boolean): bigint =>
      rows.filter(wanted).reduce((sum, { seconds }) => sum + (seconds.get("cpu") ?? 0n), 0n);
    expect(cpuOf(({ user }) => user !== null)).toBe(403n);
    expect(cpuOf(({ account, user }) => account === "root" && user === null)).toBe(403n);
  });

  test("is asked for in seconds of whole hours, in UTC", async () => {
    slurm.prints("sreport", USAGE);
    await sreportUsage(slurm.options(), HOUR, signal);
    await sreportUsage(slurm.options({ cluster: null }), HOUR, signal);
    const flags = ["--local", "--noheader", "--parsable2", "-t", "Seconds", "--tres=cpu,mem,node,billing,gres/gpu"];
    const report = ["cluster", "AccountUtilizationByUser", "format=Cluster,Account,Login,TresName,Used"];
    const window = ["start=2026-11-24T21:00:00", "end=2026-11-24T22:00:00"];
    const [named, local] = slurm.calls("sreport");
    expect(named?.args).toEqual([...flags, ...report, "clusters=testbed", ...window]);
    expect(local?.args).toEqual([...flags, ...report, ...window]);
    expect(named?.env["TZ"]).toBe("UTC");
  });

  test.each([
    { from: HOUR.from + 1, to: HOUR.to },
    { from: HOUR.from, to: HOUR.to - 60 },
    { from: HOUR.to, to: HOUR.to },
  ])("cannot be asked for from $from to $to", async (window) => {
    await expect(sreportUsage(slurm.options(), window, signal)).rejects.toThrow(RangeError);
  });

  test("is an error when sreport fails", async () => {
    slurm.program("sreport", 'fs.writeSync(2, "sreport: fatal: Problem connecting\\n"); process.exit(1);');
    await expect(sreportUsage(slurm.options(), HOUR, signal)).rejects.toThrow(/sreport: fatal: Problem connecting/u);
  });

  test.each([
    "testbed|mu||cpu",
    "testbed|mu||cpu|1|2",
    "testbed|mu||cpu|12(3.4%)",
    "testbed|||cpu|1",
    "testbed|mu|||1",
  ])("is refused when a line reads %j", (line) => {
    expect(() => readUsage([line])).toThrow(UpstreamError);
  });

  test("keeps every figure, however large", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/u);
    const figure = fc.record({ account: name, user: fc.option(name), used: fc.bigInt({ min: 0n, max: 2n ** 64n }) });
    const figures = fc.uniqueArray(figure, { selector: ({ account, user }) => `${account}|${user ?? ""}` });
    fc.assert(
      fc.property(figures, (all) => {
        const rows = readUsage(all.map(({ account, user, used }) => `c|${account}|${user ?? ""}|cpu|${used}`));
        const expected = all.map(({ account, user, used }) => ({ cluster: "c", account, user, seconds: new Map([["cpu", used]]) })); // prettier-ignore
        expect(rows).toEqual(expected);
      }),
    );
  });
});
