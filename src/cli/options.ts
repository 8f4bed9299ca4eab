import { userInfo } from "node:os";
import { explainLoss, isConnectionLoss } from "../db/connection-loss.ts";
import { UserError } from "../errors.ts";
import { openServices, type Services } from "../services.ts";
import { isDay } from "../usage/site-day.ts";

/** The command was called wrongly: exit code 2. */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}

/** Checks a day option. @throws {UsageError} that names the option. */
export function dayOption(name: string, value: string | undefined): string | undefined {
  if (value === undefined || isDay(value)) return value;
  throw new UsageError(`${name} takes a day written YYYY-MM-DD, not "${value}"`);
}

/** Opens the services for a command and closes them whatever happens. */
export async function withServices<T>(work: (services: Services) => Promise<T>): Promise<T> {
  const services = await openServices({ env: process.env, role: "command" });
  let result: T;
  try {
    result = await work(services);
  } catch (error) {
    // What went wrong first is what matters; a database that is gone cannot be closed either.
    await services.close().catch(() => undefined);
    if (!isConnectionLoss(error)) throw error;
    throw await explainLoss(error, services.config.databaseUrl === null ? services.config.dataDir : null);
  }
  await services.close();
  return result;
}

/** Who runs the command, for the audit trail. */
export function cliActor(): string {
  return `cli:${userInfo().username}`;
}

/** JSON in which bigints are plain integers of any size: one value per line at the top level. */
export function exactJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${exactJson(member)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** Prints a table with aligned columns: the first to the left, numbers to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column > 0 && /^[-−\d.,]*$/u.test(rows[0]?.[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
    });
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
  }
}
