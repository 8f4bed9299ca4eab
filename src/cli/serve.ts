import { Command } from "commander";
import { UpstreamError } from "../errors.ts";
import type { Logger } from "../log.ts";

export function serveCommand(): Command {
  return new Command("serve")
    .description("run the web application; settings come from the environment")
    .action(async () => {
      // The web server is loaded for this command only: the others start faster without it.
      const { start } = await import("../app.ts");
      const running = await start(process.env);
      const { config, logger } = running.services;
      if (config.appEnv === "development" || running.firstStart.adminPassword !== null) {
        process.stdout.write(welcome(running));
      }
      await new Promise<void>((resolve, reject) => {
        let isEnding = false;
        const end = (signal: NodeJS.Signals): void => {
          isEnding = true;
          logger.info({ signal }, "draining");
          endAnyway(logger);
          running.stop().then(resolve, reject);
        };
        process.once("SIGTERM", end);
        process.once("SIGINT", end);
        void running.databaseExited.then(() => {
          // It also stops when we close it.
          if (isEnding) return;
          const gone = new UpstreamError(
            "the embedded database has stopped; ending, so that a supervisor can start both again",
          );
          running.stop().then(
            () => reject(gone),
            () => reject(gone),
          );
        });
      });
    });
}

/** Supervisors kill what is not gone after 30 s or less; whatever is under way then is done again at the next start. */
const LONGEST_STOP_MS = 19_000;

/** Ends the process when something does not let it end by itself, such as a statement that the database never answers. */
function endAnyway(logger: Logger): void {
  setTimeout(() => {
    logger.error("what was under way did not end in time; ending without it");
    process.exit(1);
  }, LONGEST_STOP_MS).unref();
}

function welcome(running: {
  url: string;
  firstStart: { adminPassword: string | null; demoUsers: readonly { username: string; password: string }[] };
}): string {
  const { url, firstStart } = running;
  const lines = ["", `  HPC Billing is ready: ${url}`, ""];
  if (firstStart.adminPassword !== null) {
    lines.push(`  admin's password, shown this once: ${firstStart.adminPassword}`);
  }
  if (firstStart.demoUsers.length > 0) {
    const users = firstStart.demoUsers.map(({ username, password }) => `${username}/${password}`).join(", ");
    lines.push(`  demo researchers (user/password): ${users}`);
  }
  return `${lines.join("\n")}\n\n`;
}
