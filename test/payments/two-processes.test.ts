/** Two processes of the product on one PostgreSQL, and a provider that sends the same thing to both. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { verifyAudit } from "../../src/audit/verify.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { movementsOf } from "../../src/billing/money-movements.ts";
import { findReceipt } from "../../src/billing/queries.ts";
import { sql } from "../../src/db/database.ts";
import { paymentsOf, startCheckout } from "../../src/payments/checkout.ts";
import { signDummyBody } from "../../src/payments/dummy.ts";
import { startCli } from "../cli/run-cli.ts";
import { aJob, createTestContext, TEST_KEYRING, WEBHOOK_SECRET, type TestContext } from "../support/context.ts";

interface Process {
  readonly child: ChildProcess;
  readonly url: string;
}

let context: TestContext;
let folder: string;
const processes: Process[] = [];

beforeAll(async () => {
  context = await createTestContext();
  folder = mkdtempSync(join(tmpdir(), "two-processes-"));
  processes.push(...(await Promise.all([startProcess(), startProcess()])));
});

afterAll(async () => {
  await Promise.all(processes.map(({ child }) => end(child, "SIGKILL")));
  await context.close();
  rmSync(folder, { recursive: true, force: true });
});

function startProcess(): Promise<Process> {
  const child = startCli(["serve"], {
    DATABASE_URL: context.url,
    DATA_DIR: folder,
    PORT: "0",
    SEED_DEMO_USERS: "0",
    ADMIN_PASSWORD: "a password of the test",
    PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    AUDIT_HMAC_KEYRING: [...TEST_KEYRING.keys].map(([id, key]) => `${id}:${key}`).join(","),
    LOG_LEVEL: "error",
  });
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk: Buffer): void => {
      said += chunk.toString("utf8");
      const url = /is ready: (http:\S+)/u.exec(said)?.[1];
      if (url !== undefined) resolve({ child, url });
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("close", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.kill(signal);
  });
}

interface Waiting {
  readonly id: bigint;
  readonly body: string;
}

/** A receipt with an open checkout, and the event that says it was paid. */
async function waiting(user: string): Promise<Waiting> {
  await context.importJobs([aJob({ user })]);
  const receipt = await issueReceipt(context, { userName: user, cutoffDay: "2026-10-31" }, { actor: user });
  if (receipt === undefined) throw new Error("nothing was billed");
  await startCheckout(context.payments, receipt.id, { actor: user });
  const [payment] = await paymentsOf(context.db, receipt.id);
  const event = {
    event_id: `evt_${user}`,
    event_type: "payment.succeeded",
    external_payment_id: payment?.externalPaymentId,
    amount_cents: Number(receipt.totalMinor),
    currency: "THB",
  };
  return { id: receipt.id, body: JSON.stringify(event) };
}

async function send({ url }: Process, body: string): Promise<unknown> {
  const headers = { "content-type": "application/json", "x-dummy-signature": signDummyBody(WEBHOOK_SECRET, body) };
  const response = await fetch(`${url}/payments/webhook`, { method: "POST", headers, body });
  return { status: response.status, body: await response.json() };
}

async function expectPaidOnce({ id }: Waiting): Promise<void> {
  expect(await findReceipt(context.db, id)).toMatchObject({ status: "paid", dueMinor: 0n });
  expect(await movementsOf(context.db, id)).toHaveLength(1);
  const { paid, applied } = await context.db.one(
    z.object({ paid: z.bigint(), applied: z.bigint() }),
    sql`SELECT (SELECT count(*) FROM audit_log a JOIN receipts r ON a.subject = 'receipt:' || r.number
                WHERE r.id = ${id} AND a.action = 'receipt.paid') AS paid,
               (SELECT count(*) FROM payment_events e JOIN payments p ON p.id = e.payment_id
                WHERE p.receipt_id = ${id} AND e.verdict = 'applied') AS applied`,
  );
  expect([paid, applied]).toEqual([1n, 1n]);
}

describe("two processes", () => {
  it("that get the same event a hundred times at once settle it once, and answer each time that it is well", async () => {
    const receipt = await waiting("alice");
    const sent = Array.from({ length: 100 }, (_, index) => processes[index % 2]).flatMap((one) =>
      one === undefined ? [] : [send(one, receipt.body)],
    );
    const answers = await Promise.all(sent);
    expect(answers).toEqual(answers.map(() => ({ status: 200, body: { status: "ok" } })));
    await expectPaidOnce(receipt);
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });

  it("of which one is killed in the middle lose nothing that the provider sends again", async () => {
    const receipts = await Promise.all(["u1", "u2", "u3", "u4", "u5", "u6"].map((user) => waiting(user)));
    const [first, second] = processes;
    if (first === undefined || second === undefined) throw new Error("a process is missing");
    const sent = receipts.flatMap(({ body }) => [send(first, body), send(second, body), send(first, body)]);
    const killed = end(first.child, "SIGKILL");
    await Promise.allSettled(sent);
    await killed;
    for (const { body } of receipts) expect(await send(second, body)).toMatchObject({ body: { status: "ok" } });
    for (const receipt of receipts) await expectPaidOnce(receipt);
    expect(await verifyAudit(context.db, TEST_KEYRING)).toMatchObject({ ok: true });
  });
});
