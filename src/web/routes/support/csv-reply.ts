import type { FastifyReply } from "fastify";
import type { Readable } from "node:stream";
import { z } from "zod";

/** The schema of a CSV answer, for the API's description. */
export const csvBody = z.custom<Readable>().meta({
  type: "string",
  description: "CSV (RFC 4180) with a header line; times with their offset, amounts as plain decimals",
});

/** A file's name from what it holds, fit for every file system: `usage-alice-2026-10-01.csv`. */
export function attachment(parts: readonly (string | undefined)[]): string {
  const name = parts.filter((part) => part !== undefined && part !== "").join("-");
  return `${name.replaceAll(/[^\w.-]+/gu, "_")}.csv`;
}

/** Says what the answer is: a CSV file that browsers save under the name. The route returns the content itself. */
export function csvHeaders(reply: FastifyReply, fileName: string): void {
  reply.type("text/csv; charset=utf-8").header("content-disposition", `attachment; filename="${fileName}"`);
}
