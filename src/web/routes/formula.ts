import { createHash } from "node:crypto";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { formatMicro, parseMicro } from "../../rating/money.ts";
import { rateInForce, type Rate } from "../../rating/price-book.ts";
import { TIERS, type Tier } from "../../rating/tiers.ts";
import { readPricing } from "../../usage/prices/book.ts";
import { setRate, type PriceContext } from "../../usage/prices/change.ts";
import { requireAdmin, type RouteModule } from "../route-kit.ts";

const tier = z.enum(TIERS, { error: `takes one of ${TIERS.join(", ")}` }).meta({ description: "The price class" });

const PRICE_WORDS = "takes a number that is not negative, with at most 6 decimals, such as 1.25";

/** A price as a JSON number or as text; read by its digits, so that nothing is rounded on the way in. */
const price = z
  .union([z.number(), z.string()], { error: PRICE_WORDS })
  .transform((value, context) => {
    const micro = parseMicro(String(value));
    if (micro !== undefined) return micro;
    context.addIssue({ code: "custom", message: PRICE_WORDS });
    return z.NEVER;
  })
  .meta({ description: "Per hour, in units of the currency: not negative, at most 6 decimals" });

const prices = z.object({ cpu: z.number(), gpu: z.number(), mem: z.number() });

const formula = z.object({
  type: z.enum(TIERS),
  unit: z.literal("per-hour"),
  rates: prices.meta({ description: "Per CPU core-hour, GPU-hour and GiB-hour of memory" }),
  gpu_types: z
    .record(z.string(), z.number())
    .optional()
    .meta({ description: "Per GPU-hour of a type, where one has a price of its own" }),
  currency: z.string().meta({ description: "ISO 4217" }),
});

const updated = z.object({ ok: z.literal(true), updated: prices.extend({ type: z.enum(TIERS) }) });

/** The schema of a body that is written by hand, as text: described as what the text says. */
function writtenAs(schema: z.ZodType) {
  return z.string().meta({ ...z.toJSONSchema(schema) });
}

const failure = z.object({ error: z.string(), code: z.number() });

/** The prices in force, for anybody's script, and setting them, for an admin's. */
export function formulaRoutes(deps: { readonly prices: PriceContext }): RouteModule {
  return (app, { clock, db }) => {
    app.get(
      "/formula",
      {
        config: { access: "public", errors: "json" },
        schema: {
          tags: ["Prices"],
          summary: "The prices in force for a tier",
          description:
            "What a job that no narrower rate is for costs per hour. Has an ETag: ask again with If-None-Match.",
          querystring: z.object({ type: tier.default("mu") }),
          response: {
            200: writtenAs(formula),
            304: z.undefined().meta({ description: "What you have still holds" }),
            400: failure,
          },
        },
      },
      async (request, reply) => {
        const { book } = await readPricing(db, deps.prices.currency, { hold: false });
        const at = Math.floor(clock.now().getTime() / 1000);
        const rate = rateInForce(book, request.query.type, { cluster: "", partition: "", qos: "", at });
        if (rate === undefined)
          throw new UserError(`there is no rate for the tier ${request.query.type} yet`, { status: 404 });
        const text = formulaText(rate, deps.prices.currency.code);
        const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`;
        // Kept by whoever wants to, as long as they ask whether it still holds.
        reply.header("etag", etag).header("cache-control", "no-cache");
        if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send(undefined);
        return reply.type("application/json; charset=utf-8").send(text);
      },
    );

    app.post(
      "/formula",
      {
        config: { access: "admin", errors: "json" },
        schema: {
          tags: ["Prices"],
          summary: "Set the prices of a tier",
          description:
            "A new version of the tier's rate for all usage that is not billed yet; GPU types keep their prices. Needs the header X-CSRFToken.",
          security: [{ session: [], csrf: [] }],
          body: z.object({ type: tier, cpu: price, gpu: price, mem: price }),
          response: { 200: writtenAs(updated), 400: failure, 401: failure, 403: failure },
        },
      },
      async (request, reply) => {
        const { type, cpu, gpu, mem } = request.body;
        const by = { actor: requireAdmin(request).username, requestId: request.id };
        await setRate(
          deps.prices,
          { tier: type, cpuMicro: cpu, gpuMicro: gpu, memMicro: mem, effectiveFrom: null, note: "" },
          by,
        );
        const text = `{"ok":true,"updated":{"type":"${type}",${pricesText({ cpuMicro: cpu, gpuMicro: gpu, memMicro: mem })}}}`;
        return reply.type("application/json; charset=utf-8").send(text);
      },
    );
  };
}

/** JSON written by hand: a price has up to twenty digits, a JavaScript number fifteen that can be relied on. */
function formulaText(rate: Rate & { readonly tier: Tier }, currency: string): string {
  const types = [...rate.gpuTypeMicro]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, micro]) => `${JSON.stringify(type)}:${formatMicro(micro)}`);
  const gpuTypes = types.length === 0 ? "" : `"gpu_types":{${types.join(",")}},`;
  return `{"type":"${rate.tier}","unit":"per-hour","rates":{${pricesText(rate)}},${gpuTypes}"currency":"${currency}"}`;
}

function pricesText({ cpuMicro, gpuMicro, memMicro }: Pick<Rate, "cpuMicro" | "gpuMicro" | "memMicro">): string {
  return `"cpu":${formatMicro(cpuMicro)},"gpu":${formatMicro(gpuMicro)},"mem":${formatMicro(memMicro)}`;
}

/** RFC 9110, section 13.1.2: weak comparison with each tag of the list. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//u, "") === etag);
}
