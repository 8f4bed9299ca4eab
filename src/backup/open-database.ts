import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig, type Config } from "../config.ts";
import { connectionUrl, openEmbeddedPostgres } from "../db/embedded.ts";
import { UserError } from "../errors.ts";

/** A database as it is: nothing was migrated or set in it. */
export interface UntouchedDatabase {
  readonly config: Config;
  readonly url: string;
  close(): Promise<void>;
}

/** The configuration, with the secret that a development installation keeps in its data folder, if it has one. */
export async function configAsItIs(env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const config = loadConfig(env);
  const isSecretGiven = [env["SECRET_KEY"], env["FLASK_SECRET_KEY"]].some((value) => (value ?? "").trim() !== "");
  if (isSecretGiven || config.appEnv !== "development") return config;
  const savedSecret = await readFile(join(config.dataDir, "secret.key"), "utf8").catch(() => undefined);
  return loadConfig(env, { savedSecret: savedSecret?.trim() });
}

/**
 * Opens the configured database for commands that must not bring its schema up to date: a backup before an upgrade, a
 * restore, a check.
 *
 * @param options.mayCreate whether a data folder without a database gets an empty one.
 * @throws {UserError} when there is no database and none may be made.
 */
export async function openUntouched(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly mayCreate: boolean },
): Promise<UntouchedDatabase> {
  const config = await configAsItIs(env);
  if (config.databaseUrl !== null) return { config, url: config.databaseUrl, close: () => Promise.resolve() };
  if (!options.mayCreate && !existsSync(join(config.dataDir, "postgres")))
    throw new UserError(`there is no database in ${config.dataDir} yet: set DATA_DIR or DATABASE_URL`);
  const postgres = await openEmbeddedPostgres({ dataDir: config.dataDir, role: "command", log: () => undefined });
  return { config, url: connectionUrl(postgres.connection), close: () => postgres.close() };
}
