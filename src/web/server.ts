import compress from "@fastify/compress";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyBaseLogger } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { constants } from "node:zlib";
import type { Config } from "../config.ts";
import { reportsOf, type Reports } from "../db/reports.ts";
import { controlAccess } from "./plugins/access.ts";
import { serveAssets } from "./plugins/assets.ts";
import type { App, RouteModule, WebContext } from "./plugins/context.ts";
import { protectFromForgery } from "./plugins/csrf.ts";
import { drainGracefully } from "./plugins/drain.ts";
import { answerErrors } from "./plugins/errors.tsx";
import { measureRequests, metricsRoutes } from "./plugins/metrics.ts";
import { describeApi } from "./plugins/openapi.ts";
import { RequestLog, requestIdOf, returnRequestIds } from "./plugins/request-log.ts";
import { secureAnswers, securityHeaders } from "./plugins/security-headers.ts";
import { apiDocumentationRoutes } from "./routes/openapi.tsx";
import { authRoutes } from "./routes/auth.tsx";
import { healthRoutes } from "./routes/health.ts";
import { preferenceRoutes } from "./routes/i18n.ts";

export type { Access, App, AssetManifest, RouteModule, WebContext } from "./plugins/context.ts";

export interface WebDeps extends Omit<WebContext, "reports"> {
  /** Without a replica: the database itself. */
  readonly reports?: Reports;
  /** Folder of the built files, `dist/public`. */
  readonly publicDir: string;
  /** The features' routes. */
  readonly routes: readonly RouteModule[];
  readonly version: string;
  /** Requests a minute from one address; 600 unless told. */
  readonly requestsPerMinute?: number;
}

const BODY_LIMIT_BYTES = 1024 * 1024;
const REQUESTS_PER_MINUTE = 600;

const TIMEOUTS = {
  /** For a whole request to arrive. */
  requestTimeout: 30_000,
  /** For a connection on which nothing moves: longer than the slowest page. */
  connectionTimeout: 120_000,
  /** Longer than proxies keep theirs (60 s): who closes first must be the proxy, or it sends into a closed connection. */
  keepAliveTimeout: 75_000,
} as const;

/** Best compression costs more time than the bytes it saves, for what is made anew for each request. */
const BROTLI_QUALITY = 4;
const COMPRESS_FROM_BYTES = 1_024;

/**
 * Puts the server together: what holds for every request first, then the routes. Call `listen` on it, and `drain` to
 * end it. Fails when a route does not say who may call it.
 */
export async function createServer(deps: WebDeps): Promise<App> {
  const app = newApp(deps);
  const { config, metrics, clock, db, logger, manifest } = deps;
  const reports = deps.reports ?? reportsOf(db);
  const context: WebContext = { config, metrics, clock, db, reports, logger, manifest };
  app.decorate("web", context);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  // The order of the hooks: headers and ids hold for every answer, whatever refuses it.
  secureAnswers(app);
  drainGracefully(app);
  returnRequestIds(app);
  measureRequests(app, metrics);
  await app.register(cookie);
  await app.register(formbody);
  await app.register(compress, {
    encodings: ["br", "gzip"],
    threshold: COMPRESS_FROM_BYTES,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  });
  await app.register(rateLimit, { max: deps.requestsPerMinute ?? REQUESTS_PER_MINUTE, timeWindow: 60_000 });
  controlAccess(app, deps);
  protectFromForgery(app, deps);
  answerErrors(app);
  await describeApi(app, { siteName: config.siteName, version: deps.version });

  await serveAssets(app, deps.publicDir);
  const own: RouteModule[] = [healthRoutes, metricsRoutes, authRoutes, preferenceRoutes, apiDocumentationRoutes];
  for (const routes of [...own, ...deps.routes]) {
    await app.register(async (scope) => {
      await routes(scope.withTypeProvider<ZodTypeProvider>(), context);
    });
  }
  await app.ready();
  return app;
}

function newApp({ config, logger }: Pick<WebDeps, "config" | "logger">): App {
  const loggerInstance: FastifyBaseLogger = logger;
  return fastify({
    ...TIMEOUTS,
    loggerInstance,
    logController: new RequestLog(),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustedProxies(config.trustProxy),
    requestIdHeader: false,
    genReqId: requestIdOf,
    // While draining, what still comes on open connections is answered; the readiness probe says no.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    // Addresses no router can read come here, past all hooks.
    frameworkErrors: (_error, request, reply) => {
      const headers = {
        ...securityHeaders(request),
        "cache-control": "no-store",
        "content-type": "application/json; charset=utf-8",
      };
      reply.raw.writeHead(400, headers).end(JSON.stringify({ error: "the address is malformed", code: 400 }));
    },
  }).withTypeProvider<ZodTypeProvider>();
}

/** Fastify trusts nobody when it is given a number, so we count ourselves: that many proxies stand in front of us. */
function trustedProxies(trust: Config["trustProxy"]): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof trust === "number" ? (_address, hop) => hop < trust : trust;
}
