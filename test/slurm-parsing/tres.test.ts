import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTres } from "../../src/slurm/tres.ts";

function tres(text: string) {
  const read = parseTres(text);
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}

function reason(text: string): string {
  const read = parseTres(text);
  return read.ok ? "no reason" : read.reason;
}

describe("TRES strings", () => {
  it("give CPUs, nodes, memory, billing and GPUs as integers", () => {
    expect(tres("billing=42,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=8G,node=1")).toEqual({
      cpus: 8,
      nodes: 1,
      memMib: 8192,
      billing: 42,
      gpus: 2,
      gpuTypes: [{ type: "a100", count: 2 }],
    });
  });

  it("count typed and untyped GPUs once, in either order", () => {
    expect(tres("gres/gpu=2,gres/gpu:a100=2").gpus).toBe(2);
    expect(tres("gres/gpu:a100=2,gres/gpu=2").gpus).toBe(2);
    expect(tres("gres/gpu:h100=1,gres/gpu=3,gres/gpu:a100=2").gpus).toBe(3);
  });

  it("add up types when there is no total", () => {
    expect(tres("gres/gpu:a100=2,gres/gpu:h100=1")).toMatchObject({
      gpus: 3,
      gpuTypes: [
        { type: "a100", count: 2 },
        { type: "h100", count: 1 },
      ],
    });
  });

  it("keep what a larger total has beyond its types as untyped, and trust types beyond a smaller total", () => {
    expect(tres("gres/gpu=4,gres/gpu:a100=1")).toMatchObject({ gpus: 4, gpuTypes: [{ type: "a100", count: 1 }] });
    expect(tres("gres/gpu=1,gres/gpu:a100=3")).toMatchObject({ gpus: 3, gpuTypes: [{ type: "a100", count: 3 }] });
  });

  it.each(["nvidia_a100_1g.10gb", "1g.5gb", "tesla:k80", "rtx-6000"])(
    "keep the GPU type %s as it is spelled",
    (type) => {
      expect(tres(`gres/gpu:${type}=2`).gpuTypes).toEqual([{ type, count: 2 }]);
    },
  );

  it("know the form of old releases", () => {
    expect(tres("gres:gpu=1").gpus).toBe(1);
    expect(tres("gres:gpu:k80=2,cpu=1")).toMatchObject({ gpus: 2, gpuTypes: [{ type: "k80", count: 2 }] });
  });

  it("ignore other resources, also those whose names begin alike", () => {
    expect(
      tres("cpu=1,energy=55,license/matlab=2,gres/gpumem=40G,gres/gpuutil=12,gres/shard=4,vmem=9G,bb/cray=1"),
    ).toMatchObject({
      cpus: 1,
      gpus: 0,
      memMib: null,
    });
  });

  it.each([
    ["8G", 8192],
    ["500M", 500],
    ["250000M", 250_000],
    ["62.50G", 64_000],
    ["1.50T", 1_572_864],
    ["2048K", 2],
    ["1P", 1_073_741_824],
    ["100", 100],
    ["0", 0],
    ["1500K", 1],
    ["1536K", 2],
  ])("read mem=%s as %d MiB", (text, memMib) => {
    expect(tres(`mem=${text}`).memMib).toBe(memMib);
  });

  it.each([
    ["cpu=8,mem", '"mem"'],
    ["cpu=x", '"cpu=x"'],
    ["cpu=", '"cpu="'],
    ["cpu=-1", '"cpu=-1"'],
    ["mem=8Q", '"mem=8Q"'],
    ["cpu=1,cpu=1", '"cpu" twice'],
    ["cpu=1,,mem=1G", '""'],
    ["1=4,2=2048,1001=2", "by number"],
    ["gres/gpu:=2", "no GPU type"],
    ["mem=99999999999999999999P", '"mem='],
    ["cpu=1.5", '"cpu=1.5"'],
  ])("refuse %s and name what is wrong", (text, named) => {
    expect(reason(text)).toContain(named);
  });

  it("read back whatever was written, in any order", () => {
    const types = fc.uniqueArray(
      fc.tuple(fc.stringMatching(/^[a-z0-9][a-z0-9_.:-]{0,20}$/u), fc.integer({ min: 1, max: 64 })),
      {
        selector: ([type]) => type,
        maxLength: 4,
      },
    );
    const counts = fc.record({
      cpus: fc.nat(100_000),
      nodes: fc.nat(5000),
      memMib: fc.nat(100_000_000),
      billing: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(
        counts,
        types,
        fc.nat(8),
        fc.integer(),
        ({ cpus, nodes, memMib, billing }, gpuTypes, untyped, shuffle) => {
          const typed = gpuTypes.reduce((sum, [, count]) => sum + count, 0);
          const entries = [
            `cpu=${cpus}`,
            `node=${nodes}`,
            `mem=${memMib}M`,
            `billing=${billing}`,
            `gres/gpu=${typed + untyped}`,
            ...gpuTypes.map(([type, count]) => `gres/gpu:${type}=${count}`),
          ];
          const turn = Math.abs(shuffle) % entries.length;
          const read = tres([...entries.slice(turn), ...entries.slice(0, turn)].join(","));
          expect(read).toMatchObject({ cpus, nodes, memMib, billing, gpus: typed + untyped });
          expect(read.gpuTypes.map(({ type, count }) => `${type}=${count}`).toSorted()).toEqual(
            gpuTypes.map((pair) => pair.join("=")).toSorted(),
          );
        },
      ),
    );
  });

  it("never throw, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseTres(text).ok === "boolean"));
  });
});
