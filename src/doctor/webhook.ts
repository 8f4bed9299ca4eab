/** The webhook: reached from outside, refuses what is not signed, takes what is. */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { z } from "zod";
import type { Config } from "../config.ts";
import { sql } from "../db/database.ts";
import type { PaymentProvider } from "../payments/provider.ts";
import { ask } from "./ask.ts";
import { fail, ok, skipped, together, warn, type Outcome } from "./outcome.ts";
import type { Check, Setup } from "./setup.ts";

export const webhookReachable: Check = {
  id: "webhook-reachable",
  title: "The webhook is reachable, and its log shows signature checks",
  run: async (setup) => {
    const providers = [...setup.providers.values()];
    if (providers.length === 0) return skipped("no provider sends events");
    return together(await Promise.all(providers.map((provider) => reach(setup, provider))));
  },
};

/** Sends something with a wrong signature. That it was refused stands in the database, if it is the site's. */
async function reach(setup: Setup, provider: PaymentProvider): Promise<Outcome> {
  const isDefault = [...setup.providers.keys()][0] === provider.name;
  const url = `${setup.config.siteBaseUrl}/payments/webhook${isDefault ? "" : `/${provider.name}`}`;
  const body = JSON.stringify({ event_type: "doctor", event_id: randomUUID() });
  const headers = Object.fromEntries(provider.signatureHeaders.map((name) => [name, "0".repeat(64)]));
  const asked = await ask(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  if ("problem" in asked)
    return fail(`${url}: ${asked.problem}`, "the provider must be able to reach it: check proxy and firewall");
  const { status } = asked.answer;
  if (status === 403 || status === 429) return warn(`${url} answers ${status} before it comes to the application`, "fine if only the provider's addresses are let through"); // prettier-ignore
  if (status === 200)
    return fail(
      `${url} takes an event with a wrong signature`,
      "that is not this application, or the wrong secret: stop taking payments",
    );
  if (status !== 400)
    return fail(
      `${url} answers ${status}, not 400`,
      "check the proxy: POST must come through with its body and headers",
    );
  return recorded(setup, url, body);
}

async function recorded({ database }: Setup, url: string, body: string): Promise<Outcome> {
  if (database === null) return ok(`${url} refuses a wrong signature`);
  const digest = createHash("sha256").update(body).digest();
  const { known } = await database.db.one(
    z.object({ known: z.boolean() }),
    sql`SELECT EXISTS (SELECT FROM (SELECT body_sha256, verdict FROM payment_events ORDER BY id DESC LIMIT 1000) latest
                       WHERE body_sha256 = ${digest} AND verdict = 'refused') AS known`,
  );
  return known
    ? ok(`${url} refuses a wrong signature, and says so in this database`)
    : warn(
        `${url} refuses a wrong signature, but not into this database`,
        "DATABASE_URL or SITE_BASE_URL is another installation's",
      );
}

export const webhookSignature: Check = {
  id: "webhook-signature",
  title: "A rightly signed event is taken, by the secrets as configured",
  run: async (setup) => {
    const outcomes = [...setup.providers.values()].map((provider) => signed(setup, provider));
    return outcomes.length === 0 ? skipped("no provider sends events") : together(outcomes);
  },
};

/** Signs as the provider does, and has our own reader check it. Nothing is sent anywhere. */
function signed({ config, clock }: Setup, provider: PaymentProvider): Outcome {
  const body = Buffer.from('{"event_type":"doctor"}');
  const seconds = String(Math.floor(clock.now().getTime() / 1000));
  const headers = signatureOf(config, provider.name, body, seconds);
  if (headers === undefined) return skipped(`${provider.name} has no secret`);
  const right = provider.parseEvent(body, (name) => headers[name]);
  const wrong = provider.parseEvent(Buffer.from('{"event_type":"forged"}'), (name) => headers[name]);
  return right.kind !== "bad_signature" && wrong.kind === "bad_signature"
    ? ok(`${provider.name}: the right one is taken, a wrong one is not`)
    : fail(
        `${provider.name}: a rightly signed event is refused`,
        "the secret has a form that the provider does not use",
      );
}

function signatureOf(
  { payments }: Pick<Config, "payments">,
  provider: string,
  body: Buffer,
  seconds: string,
): Readonly<Record<string, string>> | undefined {
  const hmac = (secret: string | Buffer, prefix = ""): string =>
    createHmac("sha256", secret).update(prefix).update(body).digest("hex");
  if (provider === "dummy") return { "x-dummy-signature": hmac(payments.dummy.webhookSecret) };
  const [stripe] = payments.stripe?.webhookSecrets ?? [];
  if (provider === "stripe" && stripe !== undefined)
    return { "stripe-signature": `t=${seconds},v1=${hmac(stripe, `${seconds}.`)}` };
  const [omise] = payments.omise?.webhookSecrets ?? [];
  if (provider !== "omise" || omise === undefined) return undefined;
  return { "omise-signature-timestamp": seconds, "omise-signature": hmac(Buffer.from(omise, "base64"), `${seconds}.`) };
}

export const webhookIgnored: Check = {
  id: "webhook-ignored",
  title: "No event of the last week was ignored, or waits for somebody",
  run: async ({ database }) => {
    if (database === null) return skipped("the database cannot be asked");
    const ignored = await database.db.rows(
      z.object({ reason: z.string(), events: z.bigint() }),
      sql`SELECT reason, count(*) AS events FROM payment_events
          WHERE verdict = 'ignored' AND received_at > now() - interval '7 days' GROUP BY reason ORDER BY 2 DESC LIMIT 3`,
    );
    const { dead } = await database.db.one(
      z.object({ dead: z.bigint() }),
      sql`SELECT count(*) AS dead FROM webhook_deliveries WHERE status = 'dead'`,
    );
    const found = [
      ...ignored.map(({ reason, events }) => `${events} ignored: ${reason}`),
      ...(dead > 0n ? [`${dead} deliveries were given up`] : []),
    ];
    return found.length === 0
      ? ok("none")
      : warn(
          found.join("; "),
          "compare amount, currency and payment with the provider; the console shows each under its receipt",
        );
  },
};
