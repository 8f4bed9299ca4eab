import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditWriter } from "../../../src/audit/store.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { openPool } from "../../../src/db/connection.ts";
import { createTestContext, TEST_KEYRING, type TestContext } from "../../support/context.ts";
import { commands } from "./commands.ts";
import { CrashingDatabase } from "./crashing-database.ts";
import { expectRest } from "./invariants.ts";
import { World } from "./world.ts";

/** Each is a life of up to 40 steps; MODEL_RUNS takes more for a night. */
const RUNS = Number(process.env["MODEL_RUNS"] ?? "120");

let context: TestContext;
let crashing: CrashingDatabase;
let lives = 0;

beforeAll(async () => {
  context = await createTestContext({ tax: { label: "VAT", rateMicro: 70_000n, inclusive: false } });
  const pool = openPool(context.url, { max: 8, onIdleError: () => undefined });
  crashing = new CrashingDatabase(pool, auditWriter(TEST_KEYRING, context.clock));
});

afterAll(async () => {
  await crashing.close();
  await context.close();
});

describe("payments, whatever people, providers, banks and crashes do in whatever order", () => {
  it(
    "are counted once, conserve money, stand in the trail, and end as the providers have them",
    { timeout: Math.max(120_000, RUNS * 1_000) },
    async () => {
      await fc.assert(
        fc.asyncProperty(commands, async (life) => {
          const { db, clock } = context;
          const world = new World(`u${++lives}`, { db, crashing, clock, billing: context });
          await world.bill();
          await fc.asyncModelRun(() => ({ model: {}, real: world }), life);
          await world.quiesce();
          await expectRest(world);
        }),
        { numRuns: RUNS },
      );
      expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
    },
  );
});
