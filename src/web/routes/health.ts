import { z } from "zod";
import { sql, type Database } from "../../db/database.ts";
import type { App, RouteModule } from "../route-kit.ts";

const PATIENCE_MS = 2_000;

/** Probes: whether the process is up, and whether it can do its work. */
export const healthRoutes: RouteModule = (app, { db }) => {
  const config = { access: "public", stateless: true, rateLimit: false, errors: "json" } as const;
  const up = z.object({ status: z.literal("ok") });
  const down = z.object({ status: z.literal("error"), error: z.string().describe("What is not ready") });
  const live = { tags: ["operation"], summary: "Whether the process is up", response: { 200: up } };
  app.get("/healthz", { config, schema: live }, () => ({ status: "ok" as const }));

  const database = databaseProbe(db);
  const ready = {
    tags: ["operation"],
    summary: "Whether requests can be served now",
    response: { 200: up, 503: down },
  };
  app.get("/readyz", { config, schema: ready }, async (request, reply) => {
    const error = app.isDraining() ? "shutting down" : await problemOf(database, request.log);
    if (error === undefined) return { status: "ok" as const };
    return reply.code(503).send({ status: "error", error });
  });
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
