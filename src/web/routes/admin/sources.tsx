/** Does usage flow in? Clusters and their sources, syncs by hand, and the rows that cannot be read. */
import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { csvStream } from "../../../documents/csv.ts";
import { zonedIso } from "../../../documents/instant.ts";
import type { Database } from "../../../db/database.ts";
import { UserError } from "../../../errors.ts";
import { namingProblem } from "../../../usage/sync/clusters.ts";
import { requestCancel } from "../../../usage/sync/lease.ts";
import { listRejects, type SyncReject } from "../../../usage/sync/rejects.ts";
import { clusterStatuses, lagSeconds, syncRuns } from "../../../usage/sync/status.ts";
import { isDay } from "../../../usage/site-day.ts";
import { RejectsPage } from "../../pages/admin/rejects.tsx";
import { SourcesPage, type ClusterView } from "../../pages/admin/sources.tsx";
import { sectionHref } from "../../pages/admin/view.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { attachment, csvBody, csvHeaders } from "../support/csv-reply.ts";
import { actorOf, adminView, readQuery, text, type AdminContext } from "./context.ts";

const SHOWN_RUNS = 8;
const SHOWN_REJECTS = 200;
/** Rows of the file that are in memory at once; each may be some kilobytes long. */
const CSV_PAGE = 500;

const sectionQuery = z.object({
  notice: z.enum(["requested", "alreadyAsked", "cancelRequested", "notSyncing"]).optional(),
  cluster: text(64).optional(),
});
const clusterField = z.object({ cluster: text(64).min(1, "takes the name of a cluster") });
const day = z
  .string()
  .trim()
  .transform((given) => (given === "" ? undefined : given))
  .refine((given) => given === undefined || isDay(given), "takes a day written YYYY-MM-DD")
  .optional();
const syncForm = clusterField.extend({ from: day, to: day });

export async function sourcesSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const { notice, cluster } = readQuery(sectionQuery, request.query);
  const view = adminView(request, context, "sources");
  const clusters = await clusterViews(context);
  const isNameless = context.config.slurm.clusters.some(({ name }) => name === null);
  return (
    <SourcesPage
      view={view}
      clusters={clusters}
      namingProblem={isNameless ? await namingProblem(context.db) : null}
      pollStatus={pollStatus(clusters)}
      notice={notice === undefined || cluster === undefined ? undefined : { kind: notice, cluster }}
    />
  );
}

/** The configured clusters in their order, with what is known of each. */
async function clusterViews({ db, config }: AdminContext): Promise<ClusterView[]> {
  const statuses = await clusterStatuses(db);
  const views: ClusterView[] = [];
  for (const { name } of config.slurm.clusters) {
    // A cluster that was not named tells its name in the first sync.
    const status = statuses.find(({ cluster }) => cluster === name) ?? (name === null ? statuses[0] : undefined);
    const runs = status === undefined ? [] : await syncRuns(db, status.cluster, SHOWN_RUNS);
    views.push({ name: status?.cluster ?? name, status, runs });
  }
  return views;
}

/** Changes whenever the page would look different. */
function pollStatus(clusters: readonly ClusterView[]): string {
  const facts = clusters.map(({ name, status, runs }) =>
    [name, status?.isSyncing, status?.isCanceling, runs[0]?.id, runs[0]?.status, runs[0]?.windowsDone].join(" "),
  );
  return facts.join(", ");
}

const instantText = z.string().nullable().meta({ description: "ISO 8601, UTC; null where there is none" });
const sourcesBody = z.object({
  status: z.string().describe("Changes with every step of a sync"),
  clusters: z.array(
    z.object({
      cluster: z.string().nullable(),
      source: z.enum(["slurmrestd", "sacct", "file"]).nullable(),
      complete_until: instantText,
      lag_seconds: z.number().nullable(),
      syncing: z.boolean(),
      failures: z.number(),
      last_error: z.string().nullable(),
    }),
  ),
});

export function sourcesRoutes(app: App, context: AdminContext): void {
  const { db, config: site, clock, days, syncs } = context;
  const config = { access: "admin" } as const;

  app.get(
    "/admin/sources.json",
    {
      config: { ...config, errors: "json" },
      schema: {
        tags: ["Sources"],
        summary: "Where usage comes from and how fresh it is",
        security: [{ session: [] }],
        response: { 200: sourcesBody },
      },
    },
    async () => {
      const clusters = await clusterViews(context);
      return { status: pollStatus(clusters), clusters: clusters.map((one) => jsonOf(one, clock.now())) };
    },
  );

  app.post("/admin/sources/sync", { config, schema: { body: syncForm } }, async (request, reply) => {
    const { cluster, from, to } = request.body;
    const isNew = await syncs.request(syncs.keyOf(cluster), actorOf(request).actor, rangeOf(from, to));
    return reply.redirect(sectionHref("sources", { notice: isNew ? "requested" : "alreadyAsked", cluster }), 303);
  });

  app.post("/admin/sources/cancel", { config, schema: { body: clusterField } }, async (request, reply) => {
    const { cluster } = request.body;
    const isAsked = await requestCancel(db, cluster, actorOf(request));
    return reply.redirect(sectionHref("sources", { notice: isAsked ? "cancelRequested" : "notSyncing", cluster }), 303);
  });

  app.get("/admin/sources/rejects", { config, schema: { querystring: clusterField } }, async (request, reply) => {
    const view = adminView(request, context, "sources");
    const { cluster } = request.query;
    const rejects = await listRejects(db, cluster, { limit: SHOWN_REJECTS });
    return renderPage(reply, <RejectsPage view={view} cluster={cluster} rejects={rejects} />);
  });

  app.get(
    "/admin/sources/rejects.csv",
    {
      config,
      schema: {
        tags: ["Sources"],
        summary: "Rows of a cluster that could not be read, as CSV",
        security: [{ session: [] }],
        querystring: clusterField,
        response: { 200: csvBody },
      },
    },
    async (request, reply) => {
      const { cluster } = request.query;
      csvHeaders(reply, attachment(["rejects", cluster]));
      return Readable.from(csvStream(rejectColumns(zonedIso(site.siteTz)), allRejects(db, cluster)));
    },
  );

  /** Both days, or neither. @throws {UserError} that says what is missing. */
  function rangeOf(from: string | undefined, to: string | undefined): { from: string; to: string } | undefined {
    if (from === undefined && to === undefined) return undefined;
    if (from === undefined || to === undefined) throw new UserError("give both days, from and to, written YYYY-MM-DD");
    if (to < from) throw new UserError(`the last day, ${to}, lies before the first, ${from}`);
    const today = days.dayOf(Math.floor(clock.now().getTime() / 1000));
    if (from > today) throw new UserError(`${from} is still to come: give days up to today, ${today}`);
    return { from, to };
  }
}

function jsonOf({ name, status }: ClusterView, now: Date): z.output<typeof sourcesBody>["clusters"][number] {
  return {
    cluster: name,
    source: status?.source ?? null,
    complete_until: status?.completeUntil?.toISOString() ?? null,
    lag_seconds: status === undefined ? null : lagSeconds(status, now),
    syncing: status?.isSyncing ?? false,
    failures: status?.failures ?? 0,
    last_error: status?.lastError ?? null,
  };
}

function rejectColumns(
  instant: (epochSeconds: number) => string,
): { readonly header: string; readonly value: (row: SyncReject) => string | number }[] {
  const at = (date: Date): string => instant(Math.floor(date.getTime() / 1000));
  return [
    { header: "cluster", value: (row) => row.cluster },
    { header: "source", value: (row) => row.source },
    { header: "line", value: (row) => row.line },
    { header: "reason", value: (row) => row.reason },
    { header: "first_seen", value: (row) => at(row.firstSeenAt) },
    { header: "last_seen", value: (row) => at(row.lastSeenAt) },
    { header: "text", value: (row) => row.text },
  ];
}

async function* allRejects(db: Database, cluster: string): AsyncGenerator<readonly SyncReject[]> {
  for (let after: SyncReject | undefined; ;) {
    const page: SyncReject[] = await listRejects(db, cluster, { limit: CSV_PAGE, after });
    if (page.length > 0) yield page;
    if (page.length < CSV_PAGE) return;
    after = page.at(-1);
  }
}
