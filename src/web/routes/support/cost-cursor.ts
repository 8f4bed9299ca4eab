/** A place in a list that is ordered by cost, as addresses say it. */
import { z } from "zod";
import type { CostCursor, UsageGroup } from "../../../usage/queries/summary.ts";

const cursorSchema = z.tuple([z.string().regex(/^-?\d{1,30}$/u), z.string()]);

export function encodeCostCursor({ costMinor, key }: Pick<UsageGroup, "costMinor" | "key">): string {
  return Buffer.from(JSON.stringify([costMinor.toString(), key])).toString("base64url");
}

/** Undefined for anything that is no cursor: the list then starts at its beginning. */
export function decodeCostCursor(given: string | undefined): CostCursor | undefined {
  if (given === undefined || given === "") return undefined;
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(given, "base64url").toString("utf8")));
    if (!parsed.success || parsed.data[1].includes("\0")) return undefined;
    return { costMinor: BigInt(parsed.data[0]), key: parsed.data[1] };
  } catch {
    return undefined;
  }
}
