import { z } from "zod";
import type { BillingContext } from "../../billing/issue.ts";
import { amountsByResource, chargeFor, type RatableJob } from "../../rating/charge.ts";
import { taxOn } from "../../rating/tax.ts";
import { TIERS, type Tier } from "../../rating/tiers.ts";
import { explainCharge } from "../../billing/explain.ts";
import { readPricing, type Pricing } from "../../usage/prices/book.ts";
import { usageValues } from "../../usage/queries/summary.ts";
import { addDays } from "../../usage/site-day.ts";
import { address } from "../pages/me/address.ts";
import { taxText } from "../pages/me/words.ts";
import { CalculatorPage, type CalculatorProps } from "../pages/playground/calculator.tsx";
import type { AskedJob, CalcAnswer, CalcTexts, TierCost } from "../pages/playground/model.ts";
import { renderPage, requireUser, userFrame, type RouteModule, type WebContext } from "../route-kit.ts";
import { tierOfUser } from "./me-common.ts";
import { readCalculation, textsOf } from "./playground-form.ts";
import { whyView } from "./support/job-view.ts";
import { readerOf, type Reader } from "./support/reader.ts";

const field = z.string().max(100).optional();
const query = z.object({
  cores: field,
  gpus: field,
  gpu_type: field,
  memory: field,
  hours: field,
  jobs: field,
  cluster: field,
  partition: field,
});

/** How far back somebody's clusters and partitions are looked up. */
const LOOK_BACK_DAYS = 90;

/** What would a job cost? By the present rates, for the own tier and the others; the question is the address. */
export function playgroundRoutes({ billing }: { readonly billing: BillingContext }): RouteModule {
  return (app, { db, config, clock }) => {
    app.get("/playground", { config: { access: "user" }, schema: { querystring: query } }, async (request, reply) => {
      const { username } = requireUser(request);
      const reader = readerOf(request);
      const texts = textsOf(request.query);
      const { asked, problems } = readCalculation(texts);
      const pricing = await readPricing(db, billing.currency, { hold: false });
      const [tier, choices] = await Promise.all([
        tierOfUser({ billing }, pricing, username),
        choicesOf(db, billing, pricing, username, texts),
      ]);
      return renderPage(
        asked === null ? reply.code(400) : reply,
        <CalculatorPage
          frame={userFrame(request, "calculator")}
          fmt={reader.fmt}
          texts={texts}
          problems={problems}
          choices={choices}
          answer={asked === null ? null : answerOf(reader, billing, pricing, asked, { tier, now: clock.now() })}
          link={`${config.siteBaseUrl}${address("/playground", { ...texts })}`}
        />,
      );
    });
  };
}

function answerOf(
  reader: Reader,
  { tax }: BillingContext,
  pricing: Pricing,
  asked: AskedJob,
  { tier, now }: { readonly tier: Tier; readonly now: Date },
): CalcAnswer {
  const cost = (one: Tier): TierCost => costFor(reader, pricing, asked, one, { isOwn: one === tier, now });
  const tiers = TIERS.map(cost);
  const own = cost(tier);
  const taxed =
    tax === null || tax.inclusive
      ? null
      : { tax: taxText(reader.fmt, tax.label, tax.rateMicro), totalMinor: taxOn(own.allMinor, tax).totalMinor };
  return { asked, own, tiers, taxed };
}

function costFor(
  reader: Reader,
  pricing: Pricing,
  asked: AskedJob,
  tier: Tier,
  { isOwn, now }: { readonly isOwn: boolean; readonly now: Date },
): TierCost {
  const charge = chargeFor(jobOf(asked, now), tier, pricing.book);
  const explanation = explainCharge(charge);
  const amounts = amountsByResource(charge);
  return {
    tier,
    isOwn,
    ...amounts,
    oneMinor: explanation.totalMinor,
    allMinor: explanation.totalMinor * BigInt(asked.jobs),
    why: whyView(reader, { gpuTypes: [] }, explanation),
  };
}

/** The asked job as if it ended now. */
function jobOf({ cores, gpus, gpuType, memMib, seconds, cluster, partition }: AskedJob, now: Date): RatableJob {
  return {
    cluster,
    partition,
    qos: "",
    phase: "finished",
    state: "COMPLETED",
    endAt: Math.floor(now.getTime() / 1000),
    elapsedSeconds: seconds,
    allocCpus: cores,
    allocMemMib: memMib,
    allocGpus: gpus,
    gpuTypes: gpus > 0 && gpuType !== "" ? [{ type: gpuType, count: gpus }] : [],
    // Nothing is known of what it will use: a rule that counts use falls back to what is allocated.
    usedCpuMs: null,
    usedMemKibSeconds: null,
  };
}

/** GPU types with a price of their own; clusters and partitions with prices of their own, and those this user knows. */
async function choicesOf(
  db: WebContext["db"],
  { days, clock }: BillingContext,
  { book }: Pricing,
  userName: string,
  texts: CalcTexts,
): Promise<CalculatorProps["choices"]> {
  const fromDay = addDays(days.dayOf(Math.floor(clock.now().getTime() / 1000)), -LOOK_BACK_DAYS);
  const [clusters, partitions] = await Promise.all([
    usageValues(db, { userName, fromDay }, "cluster"),
    usageValues(db, { userName, fromDay }, "partition"),
  ]);
  const sorted = (names: Iterable<string | null>): string[] =>
    [...new Set(names)].flatMap((name) => (name === null || name === "" ? [] : [name])).toSorted();
  return {
    gpuTypes: sorted([...book.rates.flatMap((rate) => [...rate.gpuTypeMicro.keys()]), texts.gpu_type]),
    clusters: sorted([...clusters, ...book.rates.map((rate) => rate.cluster), texts.cluster]),
    partitions: sorted([...partitions, ...book.rates.map((rate) => rate.partition), texts.partition]),
  };
}
