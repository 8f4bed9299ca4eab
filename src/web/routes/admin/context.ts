/** What every part of the console works with. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { AuditKeyring } from "../../../audit/chain.ts";
import type { BillingContext } from "../../../billing/issue.ts";
import { UserError } from "../../../errors.ts";
import type { PaymentContext } from "../../../payments/context.ts";
import type { PriceContext } from "../../../usage/prices/change.ts";
import type { SiteDays } from "../../../usage/site-day.ts";
import type { AdminView } from "../../pages/admin/view.ts";
import type { AdminSection } from "../../pages/layout.tsx";
import { adminFrame, requireAdmin, type WebContext } from "../../route-kit.ts";
import { readerOf } from "../support/reader.ts";

export interface AdminDeps {
  readonly billing: BillingContext;
  readonly payments: PaymentContext;
  readonly prices: PriceContext;
  readonly days: SiteDays;
  readonly keyring: AuditKeyring;
  readonly syncs: SyncRequests;
  /** Asks for a reconciliation of whole days, both included, in the background. */
  readonly startReconcile: (fromDay: string, toDay: string, actor: string) => Promise<void>;
}

/** How pages ask for work that is done in the background. */
export interface SyncRequests {
  /** The key under which the queue knows a cluster, by the name that the page shows. @throws {UserError} for no cluster of ours. */
  keyOf(cluster: string): string;
  /** Asks for a sync up to now, or of whole days, both included; false when one is waiting or under way already. */
  request(key: string, actor: string, days: { from: string; to: string } | undefined): Promise<boolean>;
}

/** The features a section works with, and the server's own. */
export type AdminContext = AdminDeps & WebContext;

/** What a page of the console is drawn with; `current` is the section that it belongs to. */
export function adminView(
  request: FastifyRequest,
  { clock, days }: Pick<AdminContext, "clock" | "days">,
  current: AdminSection,
): AdminView {
  const now = clock.now();
  return {
    frame: adminFrame(request, current),
    ...readerOf(request),
    now,
    today: days.dayOf(Math.floor(now.getTime() / 1000)),
  };
}

/** Who acts, for the audit trail. */
export function actorOf(request: FastifyRequest): { actor: string; requestId: string } {
  return { actor: requireAdmin(request).username, requestId: request.id };
}

/** Reads what one section takes of an address. @throws {UserError} that names what is accepted. */
export function readQuery<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new UserError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

/** Free text of an address or a form; the database knows no NUL. */
export function text(longest: number) {
  return z
    .string()
    .max(longest, `takes up to ${longest} characters`)
    .regex(/^[^\0]*$/u, "takes text");
}

/** A filter that was left empty is none. */
export const filled = text(200)
  .optional()
  .transform((given) => (given === undefined || given.trim() === "" ? undefined : given.trim()));

/** An id in an address: anything else is as unknown as an id that does not exist. */
export const idParam = z.object({ id: z.string() });

/** @throws {UserError} 404 for anything that is no id. */
export function parseId(given: string): bigint {
  if (/^\d{1,18}$/u.test(given)) return BigInt(given);
  throw new UserError("there is nothing with this number", { status: 404 });
}
