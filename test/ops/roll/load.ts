/** People and a payment provider that use the site without a pause, and remember what they were told. */
import { createHmac } from "node:crypto";
import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { sql, type Database } from "../../../src/db/database.ts";
import { WEBHOOK_SECRET } from "../../support/context.ts";
import { BrowserSession } from "../proxy/browser-session.ts";
import { call, type Answer } from "../proxy/client.ts";
import type { Authority } from "../proxy/processes.ts";

export interface LoadOptions {
  readonly ca: Authority;
  readonly port: number;
  readonly db: Database;
  readonly password: string;
  /** Who looks at pages, and signs in again and again. */
  readonly readers: readonly string[];
  /** Who has a receipt made for one day after the other. */
  readonly payers: readonly string[];
  /** The days on which each payer has jobs, in order. */
  readonly days: readonly string[];
}

export interface Load {
  readonly requests: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  /** Receipts that somebody was shown. */
  readonly receipts: readonly string[];
  /** Receipts whose payment was acknowledged. */
  readonly paid: readonly string[];
  readonly slowestMs: number;
  /** Ends it, when what everybody was doing is done. */
  stop(): Promise<void>;
}

/** Between what one person does: below the limits of requests from one address. */
const PAUSE_MS = 300;

export function startLoad(options: LoadOptions): Load {
  const { ca, port, db, password } = options;
  const requests: Record<string, number> = {};
  const failures: string[] = [];
  const receipts: string[] = [];
  const paid: string[] = [];
  let isEnding = false;
  let slowestMs = 0;
  let people = 0;
  const agents: Agent[] = [];

  /** A browser of its own: one address, one set of connections that it keeps. */
  function person(): { session: BrowserSession; agent: Agent; from: string } {
    people += 1;
    const from = `127.0.20.${people}`;
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    agents.push(agent);
    return { session: new BrowserSession(ca, port, from, agent), agent, from };
  }

  /** Counts a request, and takes everything but the answer that is wanted for a failure. */
  async function expectAnswer(kind: string, wanted: number, send: () => Promise<Answer>): Promise<Answer | undefined> {
    requests[kind] = (requests[kind] ?? 0) + 1;
    const startedAt = performance.now();
    try {
      const answer = await send();
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      if (answer.status === wanted) return answer;
      failures.push(`${new Date().toISOString()} ${kind}: ${answer.status} ${answer.body.slice(0, 200)}`);
    } catch (error) {
      failures.push(`${new Date().toISOString()} ${kind}: ${String(error)}`);
    }
    return undefined;
  }

  async function signIn(session: BrowserSession, name: string): Promise<void> {
    await expectAnswer("sign in", 302, () => session.signIn(name, password));
  }

  /** Stays signed in all the time: a session that does not survive shows as a redirect to the login. */
  async function read(name: string): Promise<void> {
    const { session } = person();
    await signIn(session, name);
    while (!isEnding) {
      const page = await expectAnswer("page", 200, () => session.get("/me"));
      const files = [...(page?.body.matchAll(/(?:href|src)="(\/assets\/[^"]+\.(?:css|js))"/gu) ?? [])];
      await Promise.all(files.map(([, path = ""]) => expectAnswer("file", 200, () => session.get(path))));
      await expectAnswer("page", 200, () => session.get("/me/receipts"));
      await expectAnswer("csv", 200, () => session.get("/me.csv?start=2026-08-01&end=2026-10-31"));
      await sleep(PAUSE_MS);
    }
  }

  async function signInAgainAndAgain(name: string): Promise<void> {
    while (!isEnding) {
      const { session, agent } = person();
      await signIn(session, name);
      await expectAnswer("page", 200, () => session.get("/me"));
      await expectAnswer("sign out", 302, () => session.post("/logout", {}, { page: "/me" }));
      agent.destroy();
      await sleep(PAUSE_MS * 3);
    }
  }

  async function pay(name: string): Promise<void> {
    const { session } = person();
    const provider = person();
    await signIn(session, name);
    for (const day of options.days) {
      if (isEnding) return;
      const answer = await expectAnswer("receipt", 303, () =>
        session.post("/me/receipt", { before: day }, { page: "/me" }),
      );
      const id = /^\/me\/receipts\/(\d+)$/u.exec(answer?.headers.location ?? "")?.[1];
      if (id === undefined) {
        if (answer !== undefined) failures.push(`receipt: led to ${String(answer.headers.location)}`);
        continue;
      }
      receipts.push(id);
      await expectAnswer("page", 200, () => session.get(`/me/receipts/${id}`));
      await expectAnswer("checkout", 303, () => session.post(`/payments/receipt/${id}/start`, {}, { page: "/me" }));
      if (await reportPayment(id, provider)) paid.push(id);
      await sleep(PAUSE_MS);
    }
    failures.push(`${name} has no more jobs to be billed: the load was too short for the test`);
  }

  const paymentSchema = z.object({ external_payment_id: z.string(), amount_minor: z.bigint(), currency: z.string() });

  /** What a payment provider does when it has the money, from one of its addresses. */
  async function reportPayment(receiptId: string, provider: { agent: Agent; from: string }): Promise<boolean> {
    const payment = await db.maybeOne(
      paymentSchema,
      sql`SELECT external_payment_id, amount_minor, currency FROM payments WHERE receipt_id = ${BigInt(receiptId)}`,
    );
    if (payment === undefined) {
      failures.push(`webhook: receipt ${receiptId} has no payment`);
      return false;
    }
    const body = JSON.stringify({
      event_id: `evt-${receiptId}`,
      event_type: "payment.succeeded",
      external_payment_id: payment.external_payment_id,
      amount_cents: Number(payment.amount_minor),
      currency: payment.currency,
    });
    const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
    const answer = await expectAnswer("webhook", 200, () =>
      call(ca, port, "/payments/webhook", {
        method: "POST",
        from: provider.from,
        agent: provider.agent,
        headers: { "content-type": "application/json", "x-dummy-signature": signature },
        body,
      }),
    );
    return answer?.body === '{"status":"ok"}';
  }

  const work = [
    ...options.readers.map(read),
    ...options.readers.slice(0, 1).map(signInAgainAndAgain),
    ...options.payers.map(pay),
  ];
  return {
    requests,
    failures,
    receipts,
    paid,
    get slowestMs() {
      return slowestMs;
    },
    async stop() {
      isEnding = true;
      await Promise.all(work);
      for (const agent of agents) agent.destroy();
    },
  };
}
