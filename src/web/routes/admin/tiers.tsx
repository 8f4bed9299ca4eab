import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { UserError } from "../../../errors.ts";
import { TIER_SUBJECTS, TIERS, type TierRule } from "../../../rating/tiers.ts";
import { readPricing, type Pricing } from "../../../usage/prices/book.ts";
import { removeTierRule, setTierOverride, setTierRule } from "../../../usage/prices/change.ts";
import { findTierUser, listTierUsers, type TierUser } from "../../../usage/prices/tier-users.ts";
import { RemoveRulePage, TiersPage, type TiersPageProps } from "../../pages/admin/tiers.tsx";
import { sectionHref, textParams } from "../../pages/admin/view.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { actorOf, adminView, filled, idParam, readQuery, text, type AdminContext } from "./context.ts";

const PAGE_USERS = 50;

const tier = z.enum(TIERS, { error: `takes one of ${TIERS.join(", ")}` });

const tiersQuery = z.object({
  q: filled,
  only: z.enum(["override", ""], { error: "takes override" }).optional(),
  after: filled,
  before: filled,
  notice: z.enum(["user", "rule", "ruleRemoved"]).optional(),
  user: filled,
});

export async function tiersSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const query = readQuery(tiersQuery, request.query);
  const pricing = await readPricing(context.db, context.prices.currency, { hold: false });
  const { tierRules } = pricing;
  const filter = { search: query.q, overriddenOnly: query.only === "override" };
  const found = await listTierUsers(context.db, pricing, filter, {
    limit: PAGE_USERS + 1,
    after: query.after,
    before: query.before,
  });
  const isBackwards = query.before !== undefined;
  const hasMore = found.length > PAGE_USERS;
  const users = isBackwards ? found.slice(-PAGE_USERS) : found.slice(0, PAGE_USERS);
  const keep = { q: query.q, only: query.only };
  const [first, last] = [users.at(0), users.at(-1)];
  const hasBefore = isBackwards ? hasMore : query.after !== undefined;
  const hasAfter = isBackwards || hasMore;
  return (
    <TiersPage
      view={adminView(request, context, "tiers")}
      search={query.q ?? ""}
      overriddenOnly={filter.overriddenOnly}
      users={users}
      rules={tierRules}
      nextPosition={nextPosition(tierRules)}
      backHref={
        hasBefore && first !== undefined ? sectionHref("tiers", { ...keep, before: first.username }) : undefined
      }
      onHref={hasAfter && last !== undefined ? sectionHref("tiers", { ...keep, after: last.username }) : undefined}
      keep={textParams({ ...keep, after: query.after, before: query.before })}
      notice={await noticeOf(context, pricing, query)}
    />
  );
}

/** What is said is what holds now, whatever the address claims. */
async function noticeOf(
  context: AdminContext,
  pricing: Pricing,
  query: z.output<typeof tiersQuery>,
): Promise<TiersPageProps["notice"]> {
  if (query.notice === "rule" || query.notice === "ruleRemoved") return { kind: query.notice };
  if (query.notice === undefined || query.user === undefined) return undefined;
  const user: TierUser | undefined = await findTierUser(context.db, pricing, query.user);
  return user === undefined ? undefined : { kind: "user", user };
}

/** Before the rule that catches everything else, as nothing behind that one would ever fit. */
function nextPosition(rules: readonly TierRule[]): number {
  const catchAll = rules.find(({ pattern }) => pattern === "*");
  const before = rules.filter(({ position }) => catchAll === undefined || position < catchAll.position);
  return (before.at(-1)?.position ?? 0) + 1;
}

const overrideForm = z.object({
  username: text(200).min(1, "takes a username"),
  tier,
  q: filled,
  only: filled,
  after: filled,
  before: filled,
});

const ruleForm = z.object({
  subject: z.enum(TIER_SUBJECTS, { error: `takes one of ${TIER_SUBJECTS.join(", ")}` }),
  pattern: text(200).trim().min(1, "takes a pattern such as gov-*"),
  tier,
  position: z
    .string()
    .regex(/^\d{1,6}$/u, "takes a whole number from 0 to 999999")
    .transform(Number),
});

/** Numbers of rules are smaller than those of receipts. @throws {UserError} 404 for what cannot be one. */
function ruleId(given: string): number {
  if (/^\d{1,9}$/u.test(given)) return Number(given);
  throw new UserError("there is no such rule; it may have been removed already", { status: 404 });
}

export function tiersRoutes(app: App, context: AdminContext): void {
  const { db, prices } = context;

  app.post("/admin/tiers", { config: { access: "admin" }, schema: { body: overrideForm } }, async (request, reply) => {
    const { username, tier: wanted, ...keep } = request.body;
    await setTierOverride(prices, username, wanted, actorOf(request));
    return reply.redirect(sectionHref("tiers", { ...keep, notice: "user", user: username }), 303);
  });

  app.post(
    "/admin/tiers/rules",
    { config: { access: "admin" }, schema: { body: ruleForm } },
    async (request, reply) => {
      await setTierRule(prices, request.body, actorOf(request));
      return reply.redirect(sectionHref("tiers", { notice: "rule" }), 303);
    },
  );

  app.get(
    "/admin/tiers/rules/:id/remove",
    { config: { access: "admin" }, schema: { params: idParam } },
    async (request, reply) => {
      const { tierRules } = await readPricing(db, prices.currency, { hold: false });
      const rule = tierRules.find(({ id }) => id === ruleId(request.params.id));
      if (rule === undefined)
        throw new UserError("there is no such rule; it may have been removed already", { status: 404 });
      return renderPage(reply, <RemoveRulePage view={adminView(request, context, "tiers")} rule={rule} />);
    },
  );

  app.post(
    "/admin/tiers/rules/:id/remove",
    { config: { access: "admin" }, schema: { params: idParam } },
    async (request, reply) => {
      await removeTierRule(prices, ruleId(request.params.id), actorOf(request));
      return reply.redirect(sectionHref("tiers", { notice: "ruleRemoved" }), 303);
    },
  );
}
