import { auditWriter } from "../../src/audit/store.ts";
import type { AuditKeyring } from "../../src/audit/chain.ts";
import type { BillingContext } from "../../src/billing/issue.ts";
import type { Clock } from "../../src/clock.ts";
import { openPool } from "../../src/db/connection.ts";
import { Database } from "../../src/db/database.ts";
import type { PaymentContext } from "../../src/payments/context.ts";
import { dummyProvider } from "../../src/payments/dummy.ts";
import type { JobRecord } from "../../src/slurm/job-record.ts";
import type { ImportContext } from "../../src/usage/import/context.ts";
import { importRecords, type ImportTotals } from "../../src/usage/import/import.ts";
import { SiteDays } from "../../src/usage/site-day.ts";
import { createTestDatabase } from "./database.ts";

export const TEST_KEYRING: AuditKeyring = { activeKeyId: "test", keys: new Map([["test", "a test's secret"]]) };
export const WEBHOOK_SECRET = "webhook secret of the tests";

/** A clock that stands still until it is set. */
export class TestClock implements Clock {
  #now: Date;

  constructor(now: string) {
    this.#now = new Date(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  set(now: string): void {
    this.#now = new Date(now);
  }
}

export interface TestContext extends ImportContext, BillingContext {
  readonly clock: TestClock;
  readonly url: string;
  readonly payments: PaymentContext;
  /** Imports records as one batch. */
  importJobs(jobs: readonly JobRecord[]): Promise<ImportTotals>;
  close(): Promise<void>;
}

/** A database of its own with everything wired as the product does it. */
export async function createTestContext(
  options: { now?: string; tax?: BillingContext["tax"]; timeZone?: string } = {},
): Promise<TestContext> {
  const database = await createTestDatabase();
  const clock = new TestClock(options.now ?? "2026-11-01T02:00:00Z");
  const pool = openPool(database.url, { max: 12, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(TEST_KEYRING, clock));
  const currency = { code: "THB", minorDigits: 2 };
  const days = new SiteDays(options.timeZone ?? "Asia/Bangkok");
  let ids = 0;
  const dummy = dummyProvider({ webhookSecret: WEBHOOK_SECRET, simulates: true, newId: () => `${++ids}` });
  const base = { db, clock, currency, days, tax: options.tax ?? null };
  return {
    ...base,
    url: database.url,
    payments: {
      db,
      clock,
      currency,
      siteBaseUrl: "http://localhost:8000",
      onTrouble: () => undefined,
      provider: dummy,
      providers: new Map([[dummy.name, dummy]]),
    },
    importJobs: (jobs) => importJobs(base, jobs),
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
}

export async function importJobs(context: ImportContext, jobs: readonly JobRecord[]): Promise<ImportTotals> {
  async function* once() {
    yield { records: jobs, rejects: [], rowsRead: jobs.length, bytesRead: 0 };
  }
  return importRecords(context, once(), {
    source: "a test",
    actor: "test",
    onRejects: () => undefined,
    onProgress: () => undefined,
  });
}

/** Seconds since 1970 UTC of an ISO time. */
export function at(iso: string): number {
  return Date.parse(iso) / 1000;
}

let nextId = 1000;

/** A finished one-hour job of alice's; give what matters to the test. */
export function aJob(overrides: Partial<JobRecord> = {}): JobRecord {
  const id = String(nextId++);
  return {
    cluster: "test",
    rawJobId: id,
    jobId: overrides.rawJobId ?? id,
    submitAt: at("2026-10-10T02:00:00Z"),
    keyIsWeak: false,
    startAt: at("2026-10-10T02:00:00Z"),
    endAt: at("2026-10-10T03:00:00Z"),
    phase: "finished",
    state: "COMPLETED",
    user: "alice",
    account: "mu-climate",
    partition: "cpu",
    qos: "normal",
    jobName: "job",
    exitCode: "0:0",
    nodeList: "node1",
    comment: "",
    elapsedSeconds: 3600,
    allocCpus: 4,
    allocNodes: 1,
    allocMemMib: 8192,
    allocGpus: 0,
    gpuTypes: [],
    allocBilling: 4,
    energyJoules: 0n,
    usedCpuMs: null,
    usedMemKibSeconds: null,
    ...overrides,
  };
}
