import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UpstreamError } from "../errors.ts";

/** Socket errors, and PostgreSQL's classes 57P0x (it is shutting down or starting) and 08 (connection exception). */
const LOSS_CODES = /^(EPIPE|ECONNRESET|ECONNREFUSED|57P0\d|08\w{3})$/u;
const LOSS_MESSAGES = /connection terminated|not queryable|client was closed/iu;

/** True when the connection to the database broke, rather than a statement being refused. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return LOSS_CODES.test(code) || LOSS_MESSAGES.test(error.message);
}

/**
 * Says why the built-in server went away, by the last serious line of its log: a full disk ends it in the middle of a
 * statement, and all that we see of that is a broken pipe.
 */
export async function explainLoss(loss: unknown, dataDir: string | null): Promise<UpstreamError> {
  const what = `the connection to the database broke (${messageOf(loss)})`;
  if (dataDir === null) return new UpstreamError(what, { cause: loss });
  const logFile = join(dataDir, "postgres.log");
  const log = await readFile(logFile, "utf8").catch(() => "");
  const last = log
    .split("\n")
    .findLast((line) => /\b(PANIC|FATAL|ERROR):/u.test(line) && !/terminating connection/u.test(line));
  const why = last === undefined ? "" : `: ${last.replace(/^.*?\b(?:PANIC|FATAL|ERROR):\s*/u, "")}`;
  return new UpstreamError(`${what}${why}; more in ${logFile}. What was committed is kept.`, { cause: loss });
}
