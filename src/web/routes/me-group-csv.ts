/** The group's usage as a file: the sums of its page, for each member on each account. */
import { Readable } from "node:stream";
import { z } from "zod";
import type { Config } from "../../config.ts";
import type { Queries } from "../../db/database.ts";
import { csvStream, type CsvColumn } from "../../documents/csv.ts";
import type { Currency } from "../../rating/money.ts";
import { usageByMember, type MemberUsage } from "../../usage/accounts/group-usage.ts";
import { amountColumns } from "../../usage/csv-columns.ts";
import { requireUser, type App } from "../route-kit.ts";
import { addressText } from "./me-common.ts";
import { groupOf } from "./me-group.tsx";
import { attachment, csvBody, csvHeaders } from "./support/csv-reply.ts";
import { daysOfFile } from "./support/window.ts";

const groupCsvQuery = z.object({
  start: z
    .string()
    .optional()
    .meta({ description: "First day (YYYY-MM-DD, site's time zone); from the beginning unless given" }),
  end: z.string().optional().meta({ description: "Last day, included; until now unless given" }),
  before: z.string().optional().meta({ description: "The same as end" }),
  account: addressText.meta({ description: "This account and all below it; everything one coordinates unless given" }),
  member: addressText.meta({ description: "Only this person" }),
});

export function groupCsvRoute(
  app: App,
  { db, config }: { readonly db: Queries; readonly config: Pick<Config, "currency"> },
): void {
  app.get(
    "/me/group.csv",
    {
      config: { access: "user" },
      schema: {
        tags: ["Usage"],
        summary: "Usage of the accounts one coordinates, as CSV",
        description:
          "One line per account and member with finished jobs, by cluster, account and member: sums of the days. Only for who coordinates an account; to everybody else there is no such address. Without dates everything; days are whole days in the site's time zone, both included.",
        security: [{ session: [] }],
        querystring: groupCsvQuery,
        response: { 200: csvBody },
      },
    },
    async (request, reply) => {
      const { username } = requireUser(request);
      const { accounts, account, member } = await groupOf(db, username, request.query);
      const days = daysOfFile(request.query);
      csvHeaders(reply, attachment(["group", account, member, days.start, days.before]));
      return Readable.from(
        csvStream(
          groupColumns(config.currency),
          usageByMember(db, accounts, {
            fromDay: days.start,
            toDay: days.before,
            userName: member === "" ? undefined : member,
          }),
        ),
      );
    },
  );
}

function groupColumns(currency: Currency): CsvColumn<MemberUsage>[] {
  return [
    { header: "cluster", value: ({ cluster }) => cluster },
    { header: "account", value: ({ account }) => account },
    { header: "user", value: ({ userName }) => userName },
    { header: "jobs", value: ({ jobs }) => jobs },
    { header: "cpu_seconds", value: ({ cpuSeconds }) => cpuSeconds },
    { header: "gpu_seconds", value: ({ gpuSeconds }) => gpuSeconds },
    { header: "mem_mib_seconds", value: ({ memMibSeconds }) => memMibSeconds },
    ...amountColumns(currency),
  ];
}
