import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import type { PaymentProvider } from "../payments/provider.ts";
import type { Asked } from "./ask.ts";
import { fail, warn, type Outcome } from "./outcome.ts";

/** The installation that is looked at. */
export interface Setup {
  readonly config: Config;
  readonly clock: Clock;
  /** Null where it cannot be reached, and why. */
  readonly database: { readonly db: Database; readonly url: string } | null;
  readonly databaseProblem: string;
  readonly backupFolder: string;
  /** The hours after which a backup is old. */
  readonly backupHours: number;
  readonly providers: ReadonlyMap<string, PaymentProvider>;
  readonly projectRoot: string;
  /** Ports at which the guide's development tools listen. */
  readonly ports: { readonly adminer: number; readonly swagger: number };
  /** One question to the site, asked once: the answer to `GET /login`, or why there is none. */
  readonly site: () => Promise<Asked>;
}

/** One item of the checklist. */
export interface Check {
  readonly id: string;
  /** The item, as the guide says it. */
  readonly title: string;
  run(setup: Setup): Promise<Outcome>;
}

/** What must not be in production, and may be for a while where people try things out. */
export function grave({ config }: Pick<Setup, "config">, found: string, advice: string): Outcome {
  return config.appEnv === "production" ? fail(found, advice) : warn(found, advice);
}

export function isTls({ config }: Pick<Setup, "config">): boolean {
  return config.siteBaseUrl.startsWith("https:");
}
