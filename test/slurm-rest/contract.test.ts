/** Answers made from slurmrestd's own OpenAPI documents, with every field set, unset, infinite, null and missing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ACTIVE_STATES, TERMINAL_STATES, type JobRecord } from "../../src/slurm/job-record.ts";
import { readJob } from "../../src/slurm/rest/job.ts";
import { isObject } from "../../src/slurm/rest/fields.ts";
import { aRestJob, DATA, never, routes, serve, source, reading, gather } from "./server.ts";

const VERSIONS = [38, 40, 42, 43, 44];

const Schema = z.object({
  type: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  $ref: z.string().optional(),
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
  get items() {
    return Schema.optional();
  },
});
type Schema = z.infer<typeof Schema>;
const Document = z.object({
  answers: z.record(z.string(), Schema),
  parameters: z.record(z.string(), z.array(z.string())),
  schemas: z.record(z.string(), Schema),
});
type Document = z.infer<typeof Document>;

function documentOf(version: number): Document {
  return Document.parse(JSON.parse(readFileSync(join(DATA, `slurm-openapi/v0.0.${version}.json`), "utf8")));
}

/** How often a value is not what its schema says, but missing, null or of another kind. */
interface Oddity {
  readonly oneIn: number;
}

/** Values of a schema; the odder, the more of them lack what they should have. */
function valuesOf(document: Document, schema: Schema, odd: Oddity): fc.Arbitrary<unknown> {
  const named = schema.$ref === undefined ? schema : document.schemas[schema.$ref];
  if (named === undefined) throw new Error(`the document has no schema ${schema.$ref ?? ""}`);
  if (named.properties !== undefined) return objectsOf(document, named.properties, odd);
  if (named.type === "array") return fc.array(oddly(valuesOf(document, named.items ?? {}, odd), odd), { maxLength: 3 });
  if (named.enum !== undefined) return fc.oneof(fc.constantFrom(...named.enum), fc.constant("SOMETHING_NEW"));
  if (named.type === "integer") return integers(odd);
  if (named.type === "number") return fc.oneof(fc.nat(), fc.double({ noNaN: true }));
  if (named.type === "boolean") return fc.boolean();
  return fc.oneof(
    fc.string(),
    fc.constantFrom("alice", "COMPLETED", "RUNNING", "REQUEUED", "cpu", "mem", "7.batch", "5-9%2"),
  );
}

function objectsOf(
  document: Document,
  properties: Readonly<Record<string, Schema>>,
  odd: Oddity,
): fc.Arbitrary<unknown> {
  const keys = Object.keys(properties).sort().join(" ");
  if (keys === "infinite number set") {
    return fc.record({ set: fc.boolean(), infinite: fc.boolean(), number: integers(odd) });
  }
  const values = Object.entries(properties).map(([key, schema]) => [key, oddly(valuesOf(document, schema, odd), odd)]);
  const record: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(values);
  return fc.record(record, odd.oneIn > 0 ? { requiredKeys: [] } : {});
}

/** Slurm's numbers, its marks for "no value" and "infinite" in 32 and 64 bits, and times. */
function integers(odd: Oddity): fc.Arbitrary<number> {
  const usual = [fc.nat({ max: 1000 }), fc.integer({ min: 1_790_000_000, max: 1_790_001_000 })];
  const marks = fc.constantFrom(0, 4_294_967_294, 4_294_967_295, 2 ** 64, -2);
  return odd.oneIn > 0 ? fc.oneof(...usual, marks) : fc.oneof(...usual);
}

function oddly(values: fc.Arbitrary<unknown>, odd: Oddity): fc.Arbitrary<unknown> {
  if (odd.oneIn === 0) return values;
  const others = fc.oneof(fc.constant(null), fc.constantFrom<unknown>("", {}, [], "text", -1, 0.5, true));
  return fc.oneof({ weight: odd.oneIn - 1, arbitrary: values }, { weight: 1, arbitrary: others });
}

function jobsOf(version: number, odd: Oddity): fc.Arbitrary<unknown> {
  const document = documentOf(version);
  const answer = document.answers["jobs"];
  const list = (answer?.$ref === undefined ? answer : document.schemas[answer.$ref])?.properties?.["jobs"];
  const items = (list?.$ref === undefined ? list : document.schemas[list.$ref])?.items;
  if (items === undefined) throw new Error(`v0.0.${version} has no list of jobs`);
  return valuesOf(document, items, odd);
}

/** What every record must keep, whatever it was read from. */
function expectSound(record: JobRecord): void {
  const counts = [
    record.submitAt,
    record.startAt ?? 0,
    record.endAt ?? 0,
    record.elapsedSeconds,
    record.allocCpus,
    record.allocNodes,
    record.allocMemMib,
    record.allocGpus,
    record.allocBilling,
    ...record.gpuTypes.map(({ count }) => count),
  ];
  for (const count of counts) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
  for (const sum of [record.energyJoules, record.usedCpuMs ?? 0n, record.usedMemKibSeconds ?? 0n]) {
    expect(sum >= 0n).toBe(true);
  }
  expect(record.rawJobId).toMatch(/^[1-9]\d*$/u);
  expect(record.jobId).toMatch(/^\d/u);
  expect(record.user).not.toBe("");
  expect(record.cluster).not.toBe("");
  expect(record.gpuTypes.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(record.allocGpus);
  if (record.phase === "active") expect(record.endAt).toBeNull();
  if (record.phase === "finished") expect(record.endAt).not.toBeNull();
  if (record.startAt !== null && record.endAt !== null) {
    expect(record.elapsedSeconds).toBeLessThanOrEqual(record.endAt - record.startAt);
  }
  if (record.startAt === null) expect(record.elapsedSeconds).toBe(0);
  const known: readonly string[] = [...TERMINAL_STATES, ...ACTIVE_STATES];
  if (record.phase !== "unknown") expect(known).toContain(record.state);
  const texts = [record.user, record.account, record.jobName, record.comment, record.nodeList, record.qos];
  for (const text of texts) expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
}

describe.each(VERSIONS)("jobs as v0.0.%i describes them", (version) => {
  it.each([
    ["with every field set", { oneIn: 0 }],
    ["with fields unset, infinite, null, missing and of other kinds", { oneIn: 6 }],
  ])("are records or rejects with a reason, %s", (_, odd) => {
    fc.assert(
      fc.property(jobsOf(version, odd), fc.boolean(), (job, knowsExitCodes) => {
        const { record, rejects } = readJob(job, 7, { defaultCluster: "alpha", knowsExitCodes });
        if (record === null) expect(rejects).toHaveLength(1);
        else expectSound(record);
        for (const reject of rejects) {
          expect(reject.line).toBe(7);
          expect(reject.reason).not.toBe("");
          expect(reject.text.length).toBeLessThanOrEqual(4096);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are still records when one field of a good job is like none of the others", () => {
    let records = 0;
    const strange = fc.tuple(jobsOf(version, { oneIn: 6 }), fc.constantFrom(...Object.keys(aRestJob(1))));
    fc.assert(
      fc.property(strange, ([job, field]) => {
        const replaced = isObject(job) ? job[field] : undefined;
        const { record, rejects } = readJob(aRestJob(1, { [field]: replaced }), 1, {
          defaultCluster: null,
          knowsExitCodes: true,
        });
        if (record === null) expect(rejects).toHaveLength(1);
        else expectSound(record);
        records += record === null ? 0 : 1;
      }),
      { numRuns: 300 },
    );
    expect(records).toBeGreaterThan(100);
  });

  it("are asked for with parameters that this version knows", async () => {
    const { url, asked } = await serve(routes({}));
    const oneVersion = source({ url, version: `v0.0.${version}`, cluster: "alpha" });
    await expect(gather(oneVersion.jobs({ from: 1_790_000_000, to: 1_790_086_400 }, reading()))).rejects.toThrow("404");
    await expect(oneVersion.accounts(never())).rejects.toThrow("404");
    const { parameters } = documentOf(version);
    for (const address of asked) {
      const { pathname, searchParams } = new URL(address, url);
      const known = parameters[pathname.split("/").find((part) => part in parameters) ?? ""];
      if (known !== undefined) expect(known).toEqual(expect.arrayContaining([...searchParams.keys()]));
    }
    const jobs = new URL(asked.find((address) => address.includes("/jobs")) ?? "", url);
    expect(jobs.searchParams.get("start_time")).toBe("uts1790000000");
    expect(jobs.searchParams.get("end_time")).toBe("uts1790086400");
    expect(jobs.searchParams.get("show_duplicates")).toBe(version >= 40 ? "true" : null);
  });
});

describe.each(VERSIONS)("accounts as v0.0.%i describes them", (version) => {
  it("are a tree of named accounts, whatever is missing", async () => {
    const document = documentOf(version);
    const [associations, accounts] = ["associations", "accounts"].map((name) =>
      fc.sample(valuesOf(document, document.answers[name] ?? {}, { oneIn: 6 }), { numRuns: 25, seed: version }),
    );
    const slash = version >= 40 ? "/" : "";
    for (const [at, answer] of (associations ?? []).entries()) {
      const { url } = await serve((request, response) => {
        const body = (request.url ?? "").includes(`/associations${slash}`) ? answer : accounts?.[at];
        const isObject = typeof body === "object" && body !== null;
        response.end(JSON.stringify(isObject ? { ...body, errors: [] } : {}));
      });
      const snapshot = await source({ url, version: `v0.0.${version}` }).accounts(never());
      for (const { name, parent } of snapshot.accounts) {
        expect(name).not.toBe("");
        expect(parent).not.toBe(name);
      }
      for (const { account, user } of [...snapshot.members, ...snapshot.coordinators]) {
        expect(account === "" || user === "").toBe(false);
      }
    }
  });
});
