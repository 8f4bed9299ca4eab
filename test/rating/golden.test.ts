import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { chargeFor, type RatableJob } from "../../src/rating/charge.ts";
import { MICRO, parseMicro } from "../../src/rating/money.ts";
import type { PriceBook } from "../../src/rating/price-book.ts";

const micro = z.string().transform((text) => parseMicro(text) ?? -1n);

const goldenSchema = z.object({
  cases: z.array(
    z.object({
      name: z.string(),
      currency: z.string(),
      minor_digits: z.number(),
      job: z.object({
        elapsed_seconds: z.number(),
        cpus: z.number(),
        mem_mib: z.number(),
        gpus: z.number().default(0),
        gpu_types: z.record(z.string(), z.number()).default({}),
        used_cpu_ms: z.number().nullable().default(null),
        used_mem_kib_seconds: z.number().nullable().default(null),
      }),
      rate: z.object({ cpu: micro, gpu: micro, mem: micro, gpu_types: z.record(z.string(), micro).default({}) }),
      rules: z.object({ basis: z.enum(["allocated", "used"]), share: micro }),
      lines: z.array(
        z.object({
          resource: z.string(),
          gpu_type: z.string().nullable(),
          quantity: z.string(),
          amount_minor: z.string(),
        }),
      ),
      total_minor: z.string(),
    }),
  ),
});

type Case = z.output<typeof goldenSchema>["cases"][number];

const { cases } = goldenSchema.parse(JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")));

function jobOf({ job }: Case): RatableJob {
  return {
    cluster: "c",
    partition: "p",
    qos: "q",
    phase: "finished",
    state: "COMPLETED",
    endAt: 1_000_000,
    elapsedSeconds: job.elapsed_seconds,
    allocCpus: job.cpus,
    allocMemMib: job.mem_mib,
    allocGpus: job.gpus,
    gpuTypes: Object.entries(job.gpu_types).map(([type, count]) => ({ type, count })),
    usedCpuMs: job.used_cpu_ms === null ? null : BigInt(job.used_cpu_ms),
    usedMemKibSeconds: job.used_mem_kib_seconds === null ? null : BigInt(job.used_mem_kib_seconds),
  };
}

function bookOf({ rate, rules, currency, minor_digits }: Case): PriceBook {
  const shares = rules.share === MICRO ? [] : [{ tier: "mu" as const, millionths: rules.share, reason: "a grant" }];
  return {
    currency: { code: currency, minorDigits: minor_digits },
    rates: [
      {
        id: 1,
        tier: "mu",
        cluster: null,
        partition: null,
        qos: null,
        cpuMicro: rate.cpu,
        gpuMicro: rate.gpu,
        memMicro: rate.mem,
        gpuTypeMicro: new Map(Object.entries(rate.gpu_types)),
        effectiveFrom: null,
      },
    ],
    ruleSets: [{ id: 1, basis: rules.basis, exemptions: [], shares, effectiveFrom: null }],
  };
}

describe("the golden vectors, which reference.py recomputes independently", () => {
  it.each(cases)("$name", (golden) => {
    const charge = chargeFor(jobOf(golden), "mu", bookOf(golden));
    if (charge.kind !== "priced") throw new Error(`it is ${charge.kind}`);
    const lines = charge.lines.map((line) => ({
      resource: line.resource,
      gpu_type: line.gpuType,
      quantity: line.quantity.base.toString(),
      amount_minor: line.amountMinor.toString(),
    }));
    expect(lines).toEqual(golden.lines);
    expect(charge.totalMinor.toString()).toBe(golden.total_minor);
  });
});
