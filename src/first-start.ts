import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sql } from "./db/database.ts";
import { bootstrapAdmin, seedDemoUsers } from "./identity/index.ts";
import type { Services } from "./services.ts";
import { importDump } from "./usage/import/import-dump.ts";

/** What somebody at the terminal should be told once. */
export interface FirstStart {
  /** The generated password of `admin`; null when there was one already. */
  readonly adminPassword: string | null;
  readonly demoUsers: readonly { readonly username: string; readonly password: string }[];
}

/**
 * Makes an empty installation usable: the admin; in development demo users, and the sample cluster's accounting
 * where no cluster of one's own is configured. Everything is safe to repeat.
 */
export async function prepareFirstStart(services: Services, projectRoot: string): Promise<FirstStart> {
  const { config, db, clock, logger } = services;
  const admin = await bootstrapAdmin(db, clock, config);
  if ("warning" in admin && admin.warning !== undefined) logger.warn(admin.warning);
  await seedDemoUsers(db, clock, config.demoUsers);
  if (config.demoUsers.length > 0 && config.slurm.clusters.length === 0)
    await importSamples(services, join(projectRoot, "sample-data"));
  return { adminPassword: admin.kind === "generated" ? admin.password : null, demoUsers: config.demoUsers };
}

/** The sample is for an installation that holds nothing yet: never beside somebody's own data. */
async function importSamples(services: Services, folder: string): Promise<void> {
  const { any } = await services.db.one(
    z.object({ any: z.boolean() }),
    sql`SELECT EXISTS (SELECT FROM clusters) AS any`,
  );
  if (any || !existsSync(folder)) return;
  const files = (await readdir(folder)).filter((name) => /\.(psv|csv)(\.gz)?$/u.test(name)).sort();
  for (const file of files) await importFile(services, join(folder, file));
}

async function importFile({ importing, config, logger }: Services, path: string): Promise<void> {
  const totals = await importDump(importing, {
    path,
    dataDir: config.dataDir,
    cluster: "default",
    format: "auto",
    actor: "system",
    onEnd: (file, kept) => {
      if (kept.path === null) return;
      logger.warn({ file, rejected: kept.rows, keptIn: kept.path }, "some rows could not be read");
    },
  });
  logger.info({ file: path, ...totals }, "imported");
}
