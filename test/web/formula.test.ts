import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setRate } from "../../src/usage/prices/change.ts";
import { startAdminSite, type AdminSite } from "./admin-site.ts";

let site: AdminSite;

beforeAll(async () => {
  site = await startAdminSite();
});

afterAll(() => site.close());

const ask = (query: string, headers: Readonly<Record<string, string>> = {}) =>
  site.app.inject({ method: "GET", url: `/formula${query}`, headers });

async function set(body: unknown, options: { readonly withToken?: boolean } = {}) {
  const { browser } = site.root;
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const token = options.withToken === false ? {} : { "x-csrftoken": await browser.token("/admin") };
  return site.app.inject({
    method: "POST",
    url: "/formula",
    headers: { cookie, "content-type": "application/json", ...token },
    payload: JSON.stringify(body),
  });
}

describe("GET /formula", () => {
  it("gives anybody the prices in force, as exact decimals", async () => {
    const answer = await ask("?type=gov");
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.body).toBe('{"type":"gov","unit":"per-hour","rates":{"cpu":2,"gpu":65,"mem":0.05},"currency":"THB"}');
  });

  it("means the own university where no tier is named", async () => {
    expect((await ask("")).json()).toMatchObject({ type: "mu", rates: { cpu: 1.25, gpu: 42.5, mem: 0.035 } });
  });

  it("refuses a tier that does not exist, as JSON, and names those that do", async () => {
    const answer = await ask("?type=friends", { accept: "text/html" });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error: "type: takes one of mu, gov, private", code: 400 });
  });

  it("says 304 to whoever has it already, until it changes", async () => {
    const { etag } = (await ask("?type=private")).headers;
    expect(etag).toMatch(/^"[\w-]+"$/u);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await ask("?type=private", { "if-none-match": String(known) });
      expect(again.statusCode).toBe(304);
      expect(again.body).toBe("");
      expect(again.headers.etag).toBe(etag);
    }
    expect((await ask("?type=private", { "if-none-match": '"other"' })).statusCode).toBe(200);
    await set({ type: "private", cpu: 5, gpu: 150, mem: 0.2 });
    const changed = await ask("?type=private", { "if-none-match": String(etag) });
    expect(changed.statusCode).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  it("shows prices by GPU type where there are some, in digits that no float has", async () => {
    const prices = {
      cpuMicro: 12_345_678_901_123_456n,
      gpuMicro: 1n,
      memMicro: 0n,
      gpuTypeMicro: new Map([
        ["h100", 140_000_000n],
        ["a100", 42_500_000n],
      ]),
    };
    await setRate(site, { tier: "gov", ...prices, effectiveFrom: null, note: "" }, { actor: "test" });
    expect((await ask("?type=gov")).body).toBe(
      '{"type":"gov","unit":"per-hour","rates":{"cpu":12345678901.123456,"gpu":0.000001,"mem":0},"gpu_types":{"a100":42.5,"h100":140},"currency":"THB"}',
    );
  });

  it("leaves out what is narrowed to a part of the cluster or still to come", async () => {
    const prices = { cpuMicro: 9_000_000n, gpuMicro: 9_000_000n, memMicro: 9_000_000n };
    await setRate(site, { tier: "mu", ...prices, partition: "gpu", effectiveFrom: null, note: "" }, { actor: "test" });
    await setRate(
      site,
      { tier: "mu", ...prices, effectiveFrom: new Date("2027-01-01T00:00:00Z"), note: "" },
      { actor: "test" },
    );
    expect((await ask("?type=mu")).json()).toMatchObject({ rates: { cpu: 1.25, gpu: 42.5, mem: 0.035 } });
  });
});

describe("POST /formula", () => {
  it("sets a new version from numbers or texts, and says what it set", async () => {
    const answer = await set({ type: "mu", cpu: 1.5, gpu: "44.25", mem: "0.04" });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('{"ok":true,"updated":{"type":"mu","cpu":1.5,"gpu":44.25,"mem":0.04}}');
    expect((await ask("?type=mu")).json()).toMatchObject({ rates: { cpu: 1.5, gpu: 44.25, mem: 0.04 } });
  });

  it.each([
    ["an unknown tier", { type: "friends", cpu: 1, gpu: 1, mem: 1 }, "type: takes one of mu, gov, private"],
    [
      "words for numbers",
      { type: "mu", cpu: "cheap", gpu: 1, mem: 1 },
      "cpu: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
    [
      "a negative price",
      { type: "mu", cpu: 1, gpu: -1, mem: 1 },
      "gpu: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
    [
      "a price that is too precise",
      { type: "mu", cpu: 1, gpu: 1, mem: 0.0000001 },
      "mem: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
    [
      "seven decimals",
      { type: "mu", cpu: 1, gpu: 1, mem: "1.0000001" },
      "mem: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
    [
      "a price that is missing",
      { type: "mu", cpu: 1, gpu: 1 },
      "mem: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
    [
      "true and false",
      { type: "mu", cpu: true, gpu: 1, mem: 1 },
      "cpu: takes a number that is not negative, with at most 6 decimals, such as 1.25",
    ],
  ])("refuses %s and says what is accepted", async (_what, body, error) => {
    const before = (await ask("?type=mu")).body;
    const answer = await set(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error, code: 400 });
    expect((await ask("?type=mu")).body).toBe(before);
  });

  it("takes it from an admin only, with the session's token", async () => {
    expect((await set({ type: "mu", cpu: 1, gpu: 1, mem: 1 }, { withToken: false })).statusCode).toBe(403);
    const body = { type: "mu", cpu: "1", gpu: "1", mem: "1" };
    expect((await site.app.inject({ method: "POST", url: "/formula", payload: body })).statusCode).toBe(401);
    const alice = await site.browserOf("alice");
    const answer = await alice.post("/formula", { ...body, csrf_token: await alice.token("/me") });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 403 });
  });
});
