/** The types that every route works with, and what we add to Fastify's own. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import type { Reports } from "../../db/reports.ts";
import type { SignedInUser } from "../../identity/index.ts";
import type { Logger } from "../../log.ts";
import type { Metrics } from "./metrics.ts";

/** The server as route modules see it: a route's zod schemas type its query, params and body. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Names of the built files, from `dist/manifest.json`, relative to the public folder. */
export interface AssetManifest {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** Fonts worth asking for before the style sheet has been read. */
  readonly fonts?: readonly string[] | undefined;
}

/** What routes are given to work with; further services come in through the module's own factory. */
export interface WebContext {
  readonly config: Config;
  readonly db: Database;
  /** Where sums and long files are read, which may be some seconds old. */
  readonly reports: Reports;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly manifest: AssetManifest;
}

/** Adds the routes of one area. Each module has a scope of its own: hooks and parsers it adds stay inside. */
export type RouteModule = (app: App, ctx: WebContext) => void | Promise<void>;

/**
 * Who may call a route. Every route says so, or the server does not start.
 *
 * - `public`: anybody.
 * - `user`: anybody signed in. Whether a thing belongs to them is the use case's to check.
 * - `admin`: signed in with that role.
 * - `provider`: a machine that proves itself by a signature; no session, no CSRF token.
 * - `private`: the operator's own network or token; no session.
 */
export type Access = "public" | "user" | "admin" | "provider" | "private";

/** Who asks, as found from the cookies at the beginning of the request. */
export interface Visitor {
  readonly user: SignedInUser;
  /** The session's key in the table; never the token itself. */
  readonly sessionHash: Buffer;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call it; required of every route. */
    access?: Access;
    /** `session`: a public POST that needs its CSRF token only of a visitor who is signed in. */
    csrf?: "always" | "session";
    /** Answers errors as JSON whatever the client's `Accept` says. */
    errors?: "json";
    /** Never looks at the session, so it works without the database. */
    stateless?: boolean;
  }

  interface FastifyRequest {
    /** Null while nobody is signed in. Pages use `currentUser(request)`. */
    visitor: Visitor | null;
    /** What an anonymous visitor's CSRF tokens are bound to; see `csrf.ts`. */
    anonymousKey: string | null;
  }

  interface FastifyInstance {
    readonly web: WebContext;
    /** Answers 503 to readiness probes, stops accepting, finishes what is under way, closes; at most 15 s. */
    drain(options?: { readonly noticeMs?: number }): Promise<void>;
    readonly isDraining: () => boolean;
  }
}
