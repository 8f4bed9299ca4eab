/** The site as somebody outside sees it, at SITE_BASE_URL. */
import type { Answer } from "./ask.ts";
import { ask } from "./ask.ts";
import { fail, ok, skipped, together, warn, type Outcome } from "./outcome.ts";
import { grave, isTls, type Check, type Setup } from "./setup.ts";

const DAY_MS = 86_400_000;
/** Let's Encrypt's clients renew a month before the end. */
const CERTIFICATE_DAYS = 14;
const HSTS_SECONDS = 180 * 86_400;

/** Runs `look` on the site's answer, where there is one. */
async function withSite(setup: Setup, look: (answer: Answer) => Outcome): Promise<Outcome> {
  const asked = await setup.site();
  return "answer" in asked
    ? look(asked.answer)
    : skipped(`the site does not answer: ${asked.problem}`, "see the item probes");
}

export const tls: Check = {
  id: "tls",
  title: "TLS is terminated in front of the application",
  run: async (setup) => {
    if (!isTls(setup)) return grave(setup, `SITE_BASE_URL is ${setup.config.siteBaseUrl}`, "put a proxy with TLS in front, and set SITE_BASE_URL to https://…"); // prettier-ignore
    return withSite(setup, ({ certificateEnds }) =>
      certificateEnds === null
        ? fail("no certificate was shown", "check the proxy")
        : certificateOutcome(setup, "the site's certificate", certificateEnds),
    );
  },
};

/** By the time that is left. */
export function certificateOutcome({ clock }: Pick<Setup, "clock">, what: string, ends: Date): Outcome {
  const days = Math.floor((ends.getTime() - clock.now().getTime()) / DAY_MS);
  if (days < 0) return fail(`${what} ended on ${ends.toISOString()}`, "renew it");
  return days < CERTIFICATE_DAYS
    ? warn(`${what} ends in ${days} days`, "renew it, and find out why that did not happen by itself")
    : ok(`${what} is good for ${days} days`);
}

export const headers: Check = {
  id: "headers",
  title: "HSTS, CSP and the other security headers are set",
  run: (setup) =>
    withSite(setup, ({ header }) => {
      const outcomes = [
        one(header, "content-security-policy", (value) => /default-src 'self'/u.test(value) && /frame-ancestors 'none'/u.test(value) && !/unsafe-/u.test(value)), // prettier-ignore
        one(header, "x-content-type-options", (value) => value.toLowerCase() === "nosniff"),
        one(header, "x-frame-options", (value) => value.toUpperCase() === "DENY"),
        one(header, "referrer-policy", (value) => ["same-origin", "no-referrer", "strict-origin"].includes(value)),
      ];
      if (isTls(setup)) outcomes.push(one(header, "strict-transport-security", (value) => Number(/max-age=(\d+)/u.exec(value)?.[1]) >= HSTS_SECONDS)); // prettier-ignore
      return together(outcomes);
    }),
};

function one(header: Answer["header"], name: string, isRight: (value: string) => boolean): Outcome {
  const found = header(name);
  const [value] = found;
  const hint =
    name === "strict-transport-security"
      ? "set TRUST_PROXY and pass X-Forwarded-Proto"
      : "the application sets it: look what the proxy does with it";
  if (value === undefined) return fail(`${name} is missing`, hint);
  if (found.length > 1)
    return warn(`${name} is there ${found.length} times`, "the application sets it: take it out of the proxy");
  return isRight(value) ? ok(name) : fail(`${name} is "${value}"`, hint);
}

export const cookies: Check = {
  id: "cookies",
  title: "Cookies are Secure, HttpOnly and SameSite",
  run: (setup) =>
    withSite(setup, ({ header }) => {
      const set = header("set-cookie");
      const settings = cookieSettings(setup);
      if (set.length === 0) return together([settings, warn("GET /login sets no cookie", "is that this application?")]);
      return together([settings, ...set.map((line) => cookie(setup, line))]);
    }),
};

function cookieSettings(setup: Setup): Outcome {
  const { secure, sameSite } = setup.config.cookie;
  if (!secure && isTls(setup)) return grave(setup, "SESSION_COOKIE_SECURE is 0", "leave it out");
  return sameSite === "none"
    ? grave(setup, "SESSION_COOKIE_SAMESITE is none", "set it to lax, or leave it out")
    : ok("as configured");
}

function cookie(setup: Setup, line: string): Outcome {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim().toLowerCase());
  const name = pair.split("=")[0] ?? "";
  const lacks = [
    ...(attributes.includes("httponly") ? [] : ["HttpOnly"]),
    ...(attributes.includes("secure") || !isTls(setup) ? [] : ["Secure"]),
    ...(attributes.some((one) => /^samesite=(lax|strict)$/u.test(one)) ? [] : ["SameSite"]),
  ];
  return lacks.length === 0
    ? ok(name)
    : grave(setup, `${name} is not ${lacks.join(", ")}`, "look what the proxy does with Set-Cookie");
}

export const probes: Check = {
  id: "probes",
  title: "/healthz and /readyz answer (ready probe failing: see what is said)",
  run: async ({ config }) =>
    together(await Promise.all(["/healthz", "/readyz"].map((path) => probe(`${config.siteBaseUrl}${path}`)))),
};

async function probe(url: string): Promise<Outcome> {
  const asked = await ask(url);
  if ("problem" in asked)
    return fail(
      `${url}: ${asked.problem}`,
      "start the application; check SITE_BASE_URL, the name's address and the proxy",
    );
  const { status, body } = asked.answer;
  if (status === 200 && body.includes('"ok"')) return ok(`${new URL(url).pathname} says ok`);
  const advice = url.endsWith("/readyz")
    ? "check the database and DATABASE_URL; the log has the reason"
    : "look at the proxy, and at the log";
  return fail(`${url} answers ${status}: ${body.slice(0, 200)}`, advice);
}

/** That an address tells a stranger nothing. */
async function closed(setup: Setup, path: string, betrays: RegExp, advice: string): Promise<Outcome> {
  const asked = await ask(`${setup.config.siteBaseUrl}${path}`);
  if ("problem" in asked) return skipped(`${path}: ${asked.problem}`, "see the item probes");
  const { status, body } = asked.answer;
  return status === 200 && betrays.test(body)
    ? grave(setup, `everybody can read ${path}`, advice)
    : ok(`${path} answers ${status}`);
}

export const metrics: Check = {
  id: "metrics",
  title: "Metrics are scraped privately",
  run: async (setup) => {
    if (!setup.config.metrics.enabled) return ok("METRICS_ENABLED is 0");
    return closed(setup, "/metrics", /^# (HELP|TYPE) /mu, "set METRICS_TOKEN, or block /metrics at the proxy");
  },
};

export const apiDescription: Check = {
  id: "api-description",
  title: "The API's description is not public",
  run: async (setup) =>
    together([
      await closed(setup, "/openapi.json", /"openapi"/u, "APP_ENV=production shows it to admins only"),
      await closed(setup, "/docs/api", /\/payments\/webhook/u, "APP_ENV=production shows it to admins only"),
    ]),
};

export const adminer: Check = {
  id: "adminer",
  title: "Adminer is not reachable",
  run: (setup) => tool(setup, setup.ports.adminer, "Adminer", () => undefined),
};

export const swagger: Check = {
  id: "swagger",
  title: "Swagger UI is not reachable, and shows our API where it is",
  run: (setup) =>
    tool(
      setup,
      setup.ports.swagger,
      "Swagger UI",
      (body) =>
      /petstore/iu.test(body) ? warn("Swagger UI shows the Petstore: it does not find our description", "set SWAGGER_JSON=/spec/openapi.yaml and mount docs/api at /spec, or add ?url=/spec/openapi.yaml") : undefined, // prettier-ignore
    ),
};

/** A tool of the development setup, on the port that the guide gives it, at the site's own name. */
async function tool(
  setup: Setup,
  port: number,
  name: string,
  look: (body: string) => Outcome | undefined,
): Promise<Outcome> {
  const base = new URL(setup.config.siteBaseUrl);
  const ownPort = Number(base.port === "" ? (isTls(setup) ? 443 : 80) : base.port);
  if (ownPort === port) return skipped(`port ${port} is the application's own`);
  const url = `http://${base.hostname}:${port}/`;
  const asked = await ask(url);
  if ("problem" in asked) return ok(`${url}: ${asked.problem}`);
  const scripts = await ask(`${url}swagger-initializer.js`);
  const seen = look(asked.answer.body + ("answer" in scripts ? scripts.answer.body : ""));
  const open = grave(
    setup,
    `something answers at ${url}, where ${name} is in development`,
    `stop ${name}, or bind it to 127.0.0.1`,
  );
  return seen === undefined ? open : together([open, seen].filter(({ status }) => status === open.status));
}
