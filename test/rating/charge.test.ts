import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chargeFor, lineAmount, type RatableJob } from "../../src/rating/charge.ts";
import { currencyOf, formatMicro, formatMinor, MICRO, parseMicro, roundHalfEven } from "../../src/rating/money.ts";
import { rateInForce, type Exemption, type PriceBook, type Rate, type RuleSet } from "../../src/rating/price-book.ts";
import { taxOn } from "../../src/rating/tax.ts";
import { matchesGlob, naturalTier } from "../../src/rating/tiers.ts";
import { aJob } from "../support/context.ts";

const THB = { code: "THB", minorDigits: 2 };

function rate(overrides: Partial<Rate> = {}): Rate {
  return {
    id: 1,
    tier: "mu",
    cluster: null,
    partition: null,
    qos: null,
    cpuMicro: 1_250_000n,
    gpuMicro: 42_500_000n,
    memMicro: 35_000n,
    gpuTypeMicro: new Map(),
    effectiveFrom: null,
    ...overrides,
  };
}

function rules(overrides: Partial<RuleSet> = {}): RuleSet {
  return { id: 1, basis: "allocated", exemptions: [], shares: [], effectiveFrom: null, ...overrides };
}

function book(rates: Rate[] = [rate()], ruleSets: RuleSet[] = [rules()]): PriceBook {
  return { currency: THB, rates, ruleSets };
}

function exempting(exemption: Exemption): PriceBook {
  return book([rate()], [rules({ exemptions: [exemption] })]);
}

const anyJob: fc.Arbitrary<RatableJob> = fc
  .record({
    elapsedSeconds: fc.integer({ min: 1, max: 10_000_000 }),
    allocCpus: fc.integer({ min: 0, max: 100_000 }),
    allocMemMib: fc.integer({ min: 0, max: 2 ** 34 }),
    a100: fc.integer({ min: 0, max: 64 }),
    untyped: fc.integer({ min: 0, max: 64 }),
  })
  .map(({ a100, untyped, ...job }) =>
    aJob({ ...job, allocGpus: a100 + untyped, gpuTypes: a100 > 0 ? [{ type: "a100", count: a100 }] : [] }),
  );

const anyMicro = fc.bigInt({ min: 0n, max: 10n ** 10n });

const anyBook = fc
  .record({
    cpuMicro: anyMicro,
    gpuMicro: anyMicro,
    memMicro: anyMicro,
    a100: fc.option(anyMicro),
    share: fc.bigInt({ min: 0n, max: MICRO }),
  })
  .map(({ a100, share, ...prices }) =>
    book(
      [rate({ ...prices, gpuTypeMicro: new Map(a100 === null ? [] : [["a100", a100]]) })],
      [rules({ shares: [{ tier: "mu", millionths: share, reason: "subsidy" }] })],
    ),
  );

function totalOf(job: RatableJob, prices: PriceBook): bigint {
  const charge = chargeFor(job, "mu", prices);
  return charge.kind === "priced" ? charge.totalMinor : 0n;
}

describe("a charge", () => {
  it("is the sum of its lines, for any job and any prices", () => {
    fc.assert(
      fc.property(anyJob, anyBook, (job, prices) => {
        const charge = chargeFor(job, "mu", prices);
        if (charge.kind !== "priced") throw new Error(charge.kind);
        expect(charge.lines.reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(charge.totalMinor);
      }),
    );
  });

  it("counts every GPU exactly once, whether its type has a price of its own or not", () => {
    fc.assert(
      fc.property(anyJob, anyBook, (job, prices) => {
        const charge = chargeFor(job, "mu", prices);
        if (charge.kind !== "priced") throw new Error(charge.kind);
        const gpuSeconds = charge.lines
          .filter((line) => line.resource === "gpu")
          .reduce((sum, line) => sum + line.quantity.base, 0n);
        expect(gpuSeconds).toBe(BigInt(job.allocGpus) * BigInt(job.elapsedSeconds));
      }),
    );
  });

  it("is off from the exact price by at most half a minor unit per line", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        anyMicro,
        fc.bigInt({ min: 0n, max: MICRO }),
        (base, rateMicro, share) => {
          const amount = lineAmount({ base, basePerHour: 3600n }, rateMicro, share, 2);
          const exactNumerator = base * rateMicro * share * 100n;
          const denominator = 3600n * MICRO * MICRO;
          const off = exactNumerator - amount * denominator;
          expect(2n * (off < 0n ? -off : off) <= denominator).toBe(true);
        },
      ),
    );
  });

  it("adds up: seconds split over two jobs cost what they cost together, give or take the rounding of one line each", () => {
    fc.assert(
      fc.property(anyJob, fc.integer({ min: 1, max: 1_000_000 }), anyBook, (job, more, prices) => {
        const together = totalOf({ ...job, elapsedSeconds: job.elapsedSeconds + more }, prices);
        const apart = totalOf(job, prices) + totalOf({ ...job, elapsedSeconds: more }, prices);
        const difference = together - apart;
        expect((difference < 0n ? -difference : difference) <= 8n).toBe(true);
      }),
    );
  });

  it("does not depend on the order of rates, rules or GPU types", () => {
    const rates = [
      rate({ id: 1 }),
      rate({ id: 2, cpuMicro: 2n * MICRO }),
      rate({ id: 3, partition: "cpu" }),
      rate({ id: 4, tier: "gov" }),
    ];
    fc.assert(
      fc.property(anyJob, fc.shuffledSubarray(rates, { minLength: 4 }), (job, shuffled) => {
        expect(totalOf(job, book(shuffled))).toBe(totalOf(job, book(rates)));
      }),
    );
  });

  it("does not drift: a million equal jobs cost a million times one of them", () => {
    const job = aJob({ elapsedSeconds: 17, allocCpus: 3, allocMemMib: 777 });
    const one = totalOf(job, book());
    let sum = 0n;
    for (let count = 0; count < 1_000_000; count++) sum += one;
    expect(sum).toBe(one * 1_000_000n);
  });

  it("is never less for a longer job", () => {
    fc.assert(
      fc.property(anyJob, fc.integer({ min: 0, max: 1_000 }), anyBook, (job, more, prices) => {
        expect(totalOf({ ...job, elapsedSeconds: job.elapsedSeconds + more }, prices) >= totalOf(job, prices)).toBe(
          true,
        );
      }),
    );
  });
});

describe("what is billed", () => {
  it("is every end state, unless an admin exempted it", () => {
    for (const state of [
      "COMPLETED",
      "FAILED",
      "TIMEOUT",
      "CANCELLED",
      "NODE_FAIL",
      "PREEMPTED",
      "REQUEUED",
      "OUT_OF_MEMORY",
    ]) {
      expect(chargeFor(aJob({ state }), "mu", book()).kind).toBe("priced");
    }
  });

  it("leaves out exempt states, partitions and short jobs, each with the admin's reason", () => {
    const nodeFail: Exemption = { kind: "state", state: "NODE_FAIL", reason: "the node failed" };
    expect(chargeFor(aJob({ state: "NODE_FAIL" }), "mu", exempting(nodeFail))).toMatchObject({
      kind: "free",
      free: { reason: "the node failed" },
    });
    expect(chargeFor(aJob(), "mu", exempting(nodeFail)).kind).toBe("priced");
    const debug: Exemption = { kind: "partition", partition: "debug", reason: "debug is free" };
    expect(chargeFor(aJob({ partition: "debug" }), "mu", exempting(debug)).kind).toBe("free");
    const short: Exemption = { kind: "shorter_than", seconds: 60, reason: "under a minute" };
    expect(chargeFor(aJob({ elapsedSeconds: 59 }), "mu", exempting(short)).kind).toBe("free");
    expect(chargeFor(aJob({ elapsedSeconds: 60 }), "mu", exempting(short)).kind).toBe("priced");
  });

  it("is nothing for a job that never started, and that is no error", () => {
    expect(
      chargeFor(
        aJob({ state: "CANCELLED", startAt: null, elapsedSeconds: 0, allocCpus: 0, allocMemMib: 0 }),
        "mu",
        book(),
      ).kind,
    ).toBe("nothing");
  });

  it("waits for a state nobody knows, and for a tier without a rate", () => {
    expect(chargeFor(aJob({ phase: "unknown", state: "TELEPORTED" }), "mu", book())).toMatchObject({
      kind: "held",
      reason: "unknown_state",
    });
    expect(chargeFor(aJob(), "private", book())).toMatchObject({ kind: "held", reason: "no_rate" });
  });

  it("accrues while a job runs", () => {
    const running = aJob({ phase: "active", state: "RUNNING", endAt: null, elapsedSeconds: 1800 });
    expect(chargeFor(running, "mu", book(), running.submitAt + 1800).kind).toBe("accruing");
  });
});

describe("the rate in force", () => {
  const question = { cluster: "test", partition: "gpu", qos: "high", at: 1_000 };

  it("is the version set last of those in force when the job ended", () => {
    const rates = [rate({ id: 1 }), rate({ id: 2, effectiveFrom: 1_000 }), rate({ id: 3, effectiveFrom: 1_001 })];
    expect(rateInForce(book(rates), "mu", question)?.id).toBe(2);
    expect(rateInForce(book(rates), "mu", { ...question, at: 999 })?.id).toBe(1);
    expect(rateInForce(book(rates), "mu", { ...question, at: 5_000 })?.id).toBe(3);
  });

  it("set without a day, holds for all unbilled usage, whatever was planned before", () => {
    const rates = [rate({ id: 1, effectiveFrom: 500 }), rate({ id: 2, effectiveFrom: null })];
    expect(rateInForce(book(rates), "mu", question)?.id).toBe(2);
  });

  it("is the narrowest that matches: QOS before partition before cluster", () => {
    const general = rate({ id: 9 });
    const cluster = rate({ id: 1, cluster: "test" });
    const partition = rate({ id: 2, partition: "gpu" });
    const qos = rate({ id: 3, qos: "high" });
    const other = rate({ id: 4, cluster: "elsewhere", partition: "gpu", qos: "high" });
    expect(rateInForce(book([general, cluster, other]), "mu", question)?.id).toBe(1);
    expect(rateInForce(book([general, cluster, partition]), "mu", question)?.id).toBe(2);
    expect(rateInForce(book([general, cluster, partition, qos]), "mu", question)?.id).toBe(3);
  });
});

describe("money", () => {
  it("rounds half to even in both directions", () => {
    const cases: [bigint, bigint, bigint][] = [
      [1n, 2n, 0n],
      [3n, 2n, 2n],
      [5n, 2n, 2n],
      [-1n, 2n, 0n],
      [-3n, 2n, -2n],
      [7n, 3n, 2n],
      [8n, 3n, 3n],
    ];
    for (const [numerator, denominator, expected] of cases)
      expect(roundHalfEven(numerator, denominator)).toBe(expected);
  });

  it("rounds to the nearest, for any fraction", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt({ min: 1n, max: 10n ** 30n }), (numerator, denominator) => {
        const off = numerator - roundHalfEven(numerator, denominator) * denominator;
        expect(2n * (off < 0n ? -off : off) <= denominator).toBe(true);
      }),
    );
  });

  it("reads back every rate it writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 19n }), (micro) => {
        expect(parseMicro(formatMicro(micro))).toBe(micro);
      }),
    );
  });

  it("refuses rates that are negative, too precise or not numbers", () => {
    for (const text of ["-1", "1.1234567", "1e3", "", "abc", "1,5", "٣", "0x10", "Infinity", ".5", "5."])
      expect(parseMicro(text)).toBeUndefined();
    expect(parseMicro("1.100000000")).toBe(1_100_000n);
  });

  it("knows how many decimals a currency has", () => {
    expect(currencyOf("thb")).toEqual(THB);
    expect(currencyOf("JPY")?.minorDigits).toBe(0);
    expect(currencyOf("KWD")?.minorDigits).toBe(3);
    expect(currencyOf("XXY")).toBeUndefined();
    expect(formatMinor(-5n, THB)).toBe("-0.05");
    expect(formatMinor(123n, { code: "JPY", minorDigits: 0 })).toBe("123");
  });

  it("adds tax once per receipt, or takes it out of prices that contain it", () => {
    expect(taxOn(1_248_327n, { label: "VAT", rateMicro: 70_000n, inclusive: false })).toEqual({
      taxMinor: 87_383n,
      totalMinor: 1_335_710n,
    });
    expect(taxOn(10_700n, { label: "VAT", rateMicro: 70_000n, inclusive: true })).toEqual({
      taxMinor: 700n,
      totalMinor: 10_700n,
    });
    expect(taxOn(50n, null)).toEqual({ taxMinor: 0n, totalMinor: 50n });
  });
});

describe("the natural tier", () => {
  const tierRules = [
    { id: 1, position: 1, subject: "username" as const, pattern: "guest-*", tier: "private" as const },
    { id: 2, position: 2, subject: "account" as const, pattern: "gov-*", tier: "gov" as const },
    { id: 3, position: 3, subject: "account" as const, pattern: "*", tier: "mu" as const },
  ];

  const dan = { username: "dan", account: "physics", ancestors: [] };

  it("comes from the first rule that matches", () => {
    expect(naturalTier(tierRules, { ...dan, username: "guest-7", account: "gov-health" }).tier).toBe("private");
    expect(naturalTier(tierRules, { ...dan, account: "gov-health" }).rule?.id).toBe(2);
    expect(naturalTier(tierRules, dan)).toMatchObject({ tier: "mu", matched: "physics" });
    expect(naturalTier([], dan)).toEqual({ tier: "private", rule: null, matched: null });
  });

  it("looks at the accounts above only where a rule says so, the nearest first", () => {
    const partners = { id: 7, position: 0, subject: "account_tree" as const, pattern: "gov*", tier: "gov" as const };
    const below = { ...dan, ancestors: ["gov-science", "gov", "root"] };
    expect(naturalTier([partners, ...tierRules], below)).toEqual({
      tier: "gov",
      rule: partners,
      matched: "gov-science",
    });
    expect(naturalTier([partners, ...tierRules], { ...dan, account: "gov-x" }).matched).toBe("gov-x");
    expect(naturalTier([partners, ...tierRules], dan).tier).toBe("mu");
    expect(naturalTier(tierRules, below).tier).toBe("mu");
  });

  it("matches patterns literally but for the star, case included", () => {
    expect(matchesGlob("mu-*", "mu-climate")).toBe(true);
    expect(matchesGlob("mu-*", "MU-climate")).toBe(false);
    expect(matchesGlob("*.edu", "a.edu")).toBe(true);
    expect(matchesGlob("a*b*c", "aXbYc")).toBe(true);
    expect(matchesGlob("a*a", "a")).toBe(false);
    expect(matchesGlob("a.c", "abc")).toBe(false);
  });
});
