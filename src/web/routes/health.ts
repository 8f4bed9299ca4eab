import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import { clusterStatuses, lagSeconds } from "../../usage/sync/status.ts";
import type { App, RouteModule } from "../route-kit.ts";

const PATIENCE_MS = 2_000;

/** Probes: whether the process is up, and whether it can do its work. */
export const healthRoutes: RouteModule = (app, { db, clock, config: site }) => {
  const config = { access: "public", stateless: true, rateLimit: false, errors: "json" } as const;
  const up = z.object({ status: z.literal("ok") });
  const ready200 = up.extend({
    details: z
      .object({
        sources: z.array(
          z.object({
            cluster: z.string(),
            source: z.enum(["slurmrestd", "sacct", "file"]).nullable(),
            lag_seconds: z.number().nullable().describe("Since when usage is complete; null where nobody can say"),
            failures: z.number().describe("Syncs in a row that failed"),
            last_error_at: z.string().nullable(),
          }),
        ),
      })
      .optional()
      .describe("How usage flows in, where clusters are connected; a source that is away is no reason to be not ready"),
  });
  const down = z.object({ status: z.literal("error"), error: z.string().describe("What is not ready") });
  const live = { tags: ["operation"], summary: "Whether the process is up", response: { 200: up } };
  app.get("/healthz", { config, schema: live }, () => ({ status: "ok" as const }));

  const database = databaseProbe(db);
  const ready = {
    tags: ["operation"],
    summary: "Whether requests can be served now",
    response: { 200: ready200, 503: down },
  };
  app.get("/readyz", { config, schema: ready }, async (request, reply) => {
    const error = app.isDraining() ? "shutting down" : await problemOf(database, request.log);
    if (error === undefined) return { status: "ok" as const, ...(await sourceDetails()) };
    return reply.code(503).send({ status: "error", error });
  });

  async function sourceDetails() {
    if (site.slurm.clusters.length === 0) return {};
    const now = clock.now();
    const statuses = await clusterStatuses(db);
    return {
      details: {
        sources: statuses.map((status) => ({
          cluster: status.cluster,
          source: status.source,
          lag_seconds: lagSeconds(status, now),
          failures: status.failures,
          last_error_at: status.lastErrorAt?.toISOString() ?? null,
        })),
      },
    };
  }
};

/** Probes that come while one is under way share its answer: a database that hangs must not collect them. */
function databaseProbe(db: Database): () => Promise<unknown> {
  let underWay: Promise<unknown> | undefined;
  return () => {
    underWay ??= db.one(z.object({ one: z.int() }), sql`SELECT 1 AS one`).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

/** What the outside hears of it; hosts and names stay in the log. */
async function problemOf(probe: () => Promise<unknown>, log: App["log"]): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([probe(), timeout]);
    return undefined;
  } catch (error) {
    log.warn({ err: error }, "the database does not answer");
    return "the database does not answer";
  } finally {
    clearTimeout(timer);
  }
}
