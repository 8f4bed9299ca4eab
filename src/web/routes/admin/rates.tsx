import type { FastifyReply, FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { UserError } from "../../../errors.ts";
import { rateStates, ratesByScope, ruleSetStates } from "../../../rating/current-rates.ts";
import { rulesInForce } from "../../../rating/price-book.ts";
import { TIERS, type Tier } from "../../../rating/tiers.ts";
import { readPricing, type StoredPriceBook, type StoredRate } from "../../../usage/prices/book.ts";
import { setRate, setRules, type NewRate } from "../../../usage/prices/change.ts";
import { previewRate, usageByScope } from "../../../usage/prices/preview.ts";
import { unbilledTotals } from "../../../usage/queries/unbilled.ts";
import { addDays } from "../../../usage/site-day.ts";
import { RateConfirmPage, RulesConfirmPage } from "../../pages/admin/rates-confirm.tsx";
import { RatesPage, type RatesPageProps } from "../../pages/admin/rates.tsx";
import { sectionHref, textParams } from "../../pages/admin/view.ts";
import { wantsJson } from "../../plugins/wants-json.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { actorOf, adminView, readQuery, type AdminContext } from "./context.ts";
import { fieldsOfForm, fieldsOfRate, rateForm, readRateForm, type RateFormInput } from "./rate-form.ts";
import { fieldsOfRules, fieldsOfRulesForm, readRulesForm, rulesForm, type RulesFormInput } from "./rules-form.ts";

const SHOWN_VERSIONS = 20;
const PREVIEW_DAYS = 30;

const ratesQuery = z.object({
  tier: z.enum(TIERS, { error: `takes one of ${TIERS.join(", ")}` }).default("mu"),
  /** The version whose prices the form begins with. */
  rate: z.coerce.number().int().optional(),
  versions: z.string().optional(),
  notice: z.enum(["rate", "rules"]).optional(),
});

export async function ratesSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const query = readQuery(ratesQuery, request.query);
  return ratesPage(context, request, { ...query, allVersions: query.versions === "all" });
}

interface Shown {
  readonly tier: Tier;
  readonly rate?: number | undefined;
  readonly allVersions?: boolean;
  readonly notice?: RatesPageProps["notice"];
  /** Forms that have to be looked at again. */
  readonly form?: RatesPageProps["form"];
  readonly rulesForm?: RatesPageProps["rulesForm"];
}

async function ratesPage(context: AdminContext, request: FastifyRequest, shown: Shown): Promise<VNode> {
  const { book } = await readPricing(context.db, context.prices.currency, { hold: false });
  const now = epochSeconds(context);
  const [states, ruleStates] = [rateStates(book.rates, now), ruleSetStates(book.ruleSets, now)];
  const versions = book.rates.toReversed().map((rate) => [rate, states.get(rate.id) ?? "replaced"] as const);
  const rules = rulesInForce(book, now);
  const begun =
    book.rates.find((rate) => rate.id === shown.rate && rate.tier === shown.tier) ??
    currentRate(book, { tier: shown.tier }, now);
  return (
    <RatesPage
      view={adminView(request, context, "rates")}
      scopes={ratesByScope(book.rates, now)}
      versions={shown.allVersions === true ? versions : versions.slice(0, SHOWN_VERSIONS)}
      versionCount={versions.length}
      rules={book.ruleSets.find(({ id }) => id === rules?.id)}
      ruleVersions={book.ruleSets.toReversed().map((one) => [one, ruleStates.get(one.id) ?? "replaced"] as const)}
      form={shown.form ?? { fields: fieldsOfRate(shown.tier, begun), errors: {} }}
      rulesForm={shown.rulesForm ?? { fields: fieldsOfRules(rules), errors: {} }}
      notice={shown.notice}
    />
  );
}

function epochSeconds({ clock }: AdminContext): number {
  return Math.floor(clock.now().getTime() / 1000);
}

/** What exactly this tier and scope costs now. */
function currentRate(
  book: StoredPriceBook,
  scope: Pick<NewRate, "tier" | "cluster" | "partition" | "qos">,
  now: number,
): StoredRate | undefined {
  const { tier, cluster = null, partition = null, qos = null } = scope;
  return ratesByScope(
    book.rates.filter(
      (rate) => rate.tier === tier && rate.cluster === cluster && rate.partition === partition && rate.qos === qos,
    ),
    now,
  ).at(0)?.current;
}

export function ratesRoutes(app: App, context: AdminContext): void {
  const { db, prices, days } = context;

  app.get(
    "/admin/rates/preview",
    { config: { access: "admin" }, schema: { querystring: rateForm } },
    async (request, reply) => {
      const reading = readRateForm(request.query, days);
      if (reading.kind === "wrong") return askAgain(context, request, reply, { rate: request.query });
      const view = adminView(request, context, "rates");
      const { book } = await readPricing(db, prices.currency, { hold: false });
      const window = { fromDay: addDays(view.today, -PREVIEW_DAYS), toDay: addDays(view.today, -1) };
      const { rate } = reading;
      const before = currentRate(book, rate, epochSeconds(context));
      const { cluster = null, partition = null, qos = null } = rate;
      const next = {
        ...rate,
        cluster,
        partition,
        qos,
        gpuTypeMicro: rate.gpuTypeMicro ?? before?.gpuTypeMicro ?? new Map<string, bigint>(),
      };
      const [usage, unbilled] = await Promise.all([usageByScope(db, rate.tier, window), unbilledTotals(db)]);
      return renderPage(
        reply,
        <RateConfirmPage
          view={view}
          rate={rate}
          before={before}
          preview={previewRate(book, next, usage, epochSeconds(context))}
          window={window}
          unbilledMinor={unbilled.minor}
          // Empty GPU types mean none: left out they would mean "as before".
          fields={{
            ...textParams(request.query),
            ...(request.query.gpu_types !== undefined && { gpu_types: request.query.gpu_types }),
          }}
        />,
      );
    },
  );

  app.post("/admin", { config: { access: "admin" }, schema: { body: rateForm } }, async (request, reply) => {
    const reading = readRateForm(request.body, days);
    if (reading.kind === "wrong") return askAgain(context, request, reply, { rate: request.body });
    await setRate(prices, reading.rate, actorOf(request));
    return reply.redirect(sectionHref("rates", { tier: reading.rate.tier, notice: "rate" }), 303);
  });

  app.get(
    "/admin/rules/preview",
    { config: { access: "admin" }, schema: { querystring: rulesForm } },
    async (request, reply) => {
      const reading = readRulesForm(request.query, days);
      if (reading.kind === "wrong") return askAgain(context, request, reply, { rules: request.query });
      const unbilled = await unbilledTotals(db);
      return renderPage(
        reply,
        <RulesConfirmPage
          view={adminView(request, context, "rates")}
          rules={reading.rules}
          unbilledMinor={unbilled.minor}
          fields={textParams(request.query)}
        />,
      );
    },
  );

  app.post("/admin/rules", { config: { access: "admin" }, schema: { body: rulesForm } }, async (request, reply) => {
    const reading = readRulesForm(request.body, days);
    if (reading.kind === "wrong") return askAgain(context, request, reply, { rules: request.body });
    await setRules(prices, reading.rules, actorOf(request));
    return reply.redirect(sectionHref("rates", { notice: "rules" }), 303);
  });
}

/** The page again with what was typed and what is wrong with it; for scripts a sentence. */
async function askAgain(
  context: AdminContext,
  request: FastifyRequest,
  reply: FastifyReply,
  sent: { readonly rate: RateFormInput } | { readonly rules: RulesFormInput },
): Promise<FastifyReply> {
  if (wantsJson(request)) throw new UserError(WORDS_FOR_SCRIPTS["rate" in sent ? "rate" : "rules"]);
  if ("rate" in sent) {
    const reading = readRateForm(sent.rate, context.days);
    const errors = reading.kind === "wrong" ? reading.errors : {};
    return renderPage(
      reply.code(400),
      await ratesPage(context, request, { tier: sent.rate.type, form: { fields: fieldsOfForm(sent.rate), errors } }),
    );
  }
  const reading = readRulesForm(sent.rules, context.days);
  const errors = reading.kind === "wrong" ? reading.errors : {};
  return renderPage(
    reply.code(400),
    await ratesPage(context, request, { tier: "mu", rulesForm: { fields: fieldsOfRulesForm(sent.rules), errors } }),
  );
}

const WORDS_FOR_SCRIPTS = {
  rate: "cpu, gpu and mem take numbers that are not negative, with at most 6 decimals; gpu_types takes lines such as a100=42.5; from takes a day YYYY-MM-DD",
  rules:
    "states and partitions take lines such as NODE_FAIL = reason; shorter_seconds takes seconds with shorter_reason; share_mu, share_gov and share_private take percentages, with a reason when less than 100; from takes a day YYYY-MM-DD",
} as const;
