/** Reconciliation: its last result, a form that starts one, and the same for programs. */
import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { MOST_DAYS } from "../../../billing/balance/reconcile.ts";
import { booksOfRun } from "../../../billing/balance/stored-books.ts";
import type { Queries } from "../../../db/database.ts";
import { csvStream, type CsvColumn } from "../../../documents/csv.ts";
import { UserError } from "../../../errors.ts";
import {
  findReconcile,
  lastReconcile,
  reconcileBreaks,
  reconciledClusters,
  reconciledDays,
  runningReconcile,
  type FoundBreak,
  type ReconcileRun,
} from "../../../usage/reconcile/queries.ts";
import { addDays, isDay, monthStart } from "../../../usage/site-day.ts";
import { ReconcilePage, type ReconcileResult } from "../../pages/admin/reconcile.tsx";
import { sectionHref } from "../../pages/admin/view.ts";
import type { App } from "../../route-kit.ts";
import { attachment, csvBody, csvHeaders } from "../support/csv-reply.ts";
import { countDays } from "../support/window.ts";
import { actorOf, adminView, readQuery, text, type AdminContext } from "./context.ts";

const SHOWN_BREAKS = 100;
const CSV_PAGE = 500;

const sectionQuery = z.object({
  notice: z.enum(["started", "wrongDays"]).optional(),
  from: text(10).optional(),
  to: text(10).optional(),
});
const form = z.object({ from: text(40), to: text(40) });

export async function reconcileSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const { db } = context;
  const { notice, from, to } = readQuery(sectionQuery, request.query);
  const view = adminView(request, context, "reconcile");
  const [last, running] = await Promise.all([lastReconcile(db), runningReconcile(db)]);
  const yesterday = addDays(view.today, -1);
  return (
    <ReconcilePage
      view={view}
      last={last === undefined ? undefined : await resultOf(db, last)}
      running={running}
      fromDay={from ?? monthStart(yesterday)}
      toDay={to ?? yesterday}
      mostDays={MOST_DAYS}
      notice={notice}
      pollStatus={pollStatus(last, running)}
    />
  );
}

async function resultOf(db: Queries, run: ReconcileRun): Promise<ReconcileResult> {
  const [days, clusters, breaks, books] = await Promise.all([
    reconciledDays(db, run.id),
    reconciledClusters(db, run.id),
    reconcileBreaks(db, run.id, { limit: SHOWN_BREAKS }),
    booksOfRun(db, run.id),
  ]);
  return { run, days, clusters, breaks, books };
}

/** Changes whenever the page would look different. */
function pollStatus(last: ReconcileRun | undefined, running: ReconcileRun | undefined): string {
  const ended = last === undefined ? "none" : `${last.id} ${last.status}`;
  return running === undefined ? ended : `${ended}, ${running.id} at ${running.daysDone} of ${running.daysTotal}`;
}

const statusBody = z.object({
  status: z.string().describe("Changes with every step of a reconciliation"),
  running: z.object({ id: z.number(), days_done: z.number(), days_total: z.number() }).nullable(),
  last: z
    .object({
      id: z.number(),
      verdict: z.enum(["balanced", "broken", "failed"]),
      from: z.string(),
      to: z.string(),
      finished: z.string().nullable().describe("ISO 8601, UTC"),
      breaks: z.number(),
      error: z.string().nullable(),
      reconciled_until: z.string().nullable().describe("Last day up to which everything balanced"),
    })
    .nullable(),
});

export function reconcileRoutes(app: App, context: AdminContext): void {
  const { db, clock, days, startReconcile } = context;
  const config = { access: "admin" } as const;

  app.post("/admin/reconcile", { config, schema: { body: form } }, async (request, reply) => {
    const [from, to] = [request.body.from.trim(), request.body.to.trim()];
    const today = days.dayOf(Math.floor(clock.now().getTime() / 1000));
    const isFine =
      isDay(from) && isDay(to) && from <= to && to <= today && countDays({ fromDay: from, toDay: to }) <= MOST_DAYS;
    // What cannot be a day is not carried along.
    const kept = { ...(isDay(from) && { from }), ...(isDay(to) && { to }) };
    if (!isFine) return reply.redirect(sectionHref("reconcile", { notice: "wrongDays", ...kept }), 303);
    await startReconcile(from, to, actorOf(request).actor);
    return reply.redirect(sectionHref("reconcile", { notice: "started", ...kept }), 303);
  });

  app.get(
    "/admin/reconcile.json",
    {
      config: { ...config, errors: "json" },
      schema: {
        tags: ["Reconciliation"],
        summary: "Whether the books balance with the scheduler",
        security: [{ session: [] }],
        response: { 200: statusBody },
      },
    },
    async () => {
      const [last, running] = await Promise.all([lastReconcile(db), runningReconcile(db)]);
      return { status: pollStatus(last, running), running: runningJson(running), last: lastJson(last) };
    },
  );

  app.get(
    "/admin/reconcile.csv",
    {
      config,
      schema: {
        tags: ["Reconciliation"],
        summary: "What does not balance, as CSV",
        description: "The first 1,000 differences that a reconciliation found; without `run` those of the last one.",
        security: [{ session: [] }],
        querystring: z.object({
          run: z
            .string()
            .regex(/^\d{1,18}$/u, "takes the number of a reconciliation")
            .optional(),
        }),
        response: { 200: csvBody },
      },
    },
    async (request, reply) => {
      const { run: id } = request.query;
      const run = id === undefined ? await lastReconcile(db) : await findReconcile(db, BigInt(id));
      if (run === undefined) throw new UserError("there is no such reconciliation", { status: 404 });
      csvHeaders(reply, attachment(["reconcile", run.fromDay, run.toDay]));
      return Readable.from(csvStream(COLUMNS, allBreaks(db, run.id)));
    },
  );
}

function runningJson(run: ReconcileRun | undefined): z.output<typeof statusBody>["running"] {
  return run === undefined ? null : { id: Number(run.id), days_done: run.daysDone, days_total: run.daysTotal };
}

function lastJson(run: ReconcileRun | undefined): z.output<typeof statusBody>["last"] {
  if (run === undefined || run.status === "running") return null;
  return {
    id: Number(run.id),
    verdict: run.status,
    from: run.fromDay,
    to: run.toDay,
    finished: run.finishedAt?.toISOString() ?? null,
    breaks: Number(run.breaks),
    error: run.error,
    reconciled_until: run.reconciledUntil,
  };
}

async function* allBreaks(db: Queries, runId: bigint): AsyncGenerator<FoundBreak[]> {
  for (let after = 0; ;) {
    const page: FoundBreak[] = await reconcileBreaks(db, runId, { limit: CSV_PAGE, after });
    if (page.length > 0) yield page;
    if (page.length < CSV_PAGE) return;
    after = page.at(-1)?.position ?? after;
  }
}

const COLUMNS: readonly CsvColumn<FoundBreak>[] = [
  { header: "kind", value: ({ kind }) => kind },
  { header: "day", value: ({ day }) => day },
  { header: "cluster", value: ({ cluster }) => cluster },
  { header: "raw_job_id", value: ({ rawJobId }) => rawJobId },
  { header: "job_id", value: ({ jobId }) => jobId },
  { header: "submit_utc", value: ({ submitAt }) => submitAt?.toISOString() ?? null },
  { header: "user", value: ({ userName }) => userName },
  { header: "account", value: ({ account }) => account },
  { header: "receipt", value: ({ receiptNumber }) => receiptNumber },
  { header: "what", value: ({ what }) => what },
  { header: "ours", value: ({ ours }) => ours },
  { header: "theirs", value: ({ theirs }) => theirs },
];
