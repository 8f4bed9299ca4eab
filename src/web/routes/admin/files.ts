/** Files that leave the console as streams of CSV. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";

/** The schema of a CSV answer, for the API's description. */
export const csvBody = z.custom<Readable>().meta({ type: "string", description: "CSV (RFC 4180) with a header line; times with their offset, amounts as plain decimals" });

/** Sends a file chunk by chunk; `name` holds nothing that a header could not. */
export function sendCsv(reply: FastifyReply, name: string, chunks: AsyncIterable<string>): FastifyReply {
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${name}"`)
    .send(Readable.from(chunks, { objectMode: false }));
}
