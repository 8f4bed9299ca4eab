/** The usage section as a file: what the page shows by the same address, all of it. */
import { Readable } from "node:stream";
import type { Queries } from "../../../db/database.ts";
import { csvStream, type CsvColumn } from "../../../documents/csv.ts";
import { zonedIso } from "../../../documents/instant.ts";
import { UserError } from "../../../errors.ts";
import type { Currency } from "../../../rating/money.ts";
import { amountColumns, usageColumns } from "../../../usage/csv-columns.ts";
import { allFinishedJobs } from "../../../usage/queries/job-list.ts";
import { dearestBy, type Grouping, type UsageFilter, type UsageGroup } from "../../../usage/queries/summary.ts";
import type { App } from "../../route-kit.ts";
import { attachment, csvBody, csvHeaders } from "../support/csv-reply.ts";
import { readWindow, wordsOfProblem } from "../support/window.ts";
import type { AdminContext } from "./context.ts";
import { fromFirstUse } from "./usage.tsx";
import { groupingOf, jobFilterOf, usageFilterOf, usageQuery, type UsageQuery } from "./usage-query.ts";

export function usageRoutes(app: App, context: AdminContext): void {
  const { reports, config, days, clock, prices } = context;

  app.get(
    "/admin/usage.csv",
    {
      config: { access: "admin" },
      schema: {
        tags: ["Usage"],
        summary: "Usage as CSV: sums by a group, or the jobs themselves",
        description:
          "What the usage section shows by the same parameters, all of it: groups with the dearest first, or (`group=jobs`) finished jobs with the oldest first. Days are whole days in the site's time zone, both included; without days the present month.",
        security: [{ session: [] }],
        querystring: usageQuery.omit({ after: true, ahead: true }),
        response: { 200: csvBody },
      },
    },
    async (request, reply) => {
      const query: UsageQuery = request.query;
      const { window: asked, problem } = readWindow(query, days.dayOf(Math.floor(clock.now().getTime() / 1000)));
      if (problem !== null) throw new UserError(wordsOfProblem(problem));
      const window = await fromFirstUse(reports, asked);
      const grouping = groupingOf(query.group);
      csvHeaders(reply, attachment(["usage", query.group, window.fromDay, window.toDay]));
      if (grouping === null)
        return Readable.from(
          csvStream(
            usageColumns(prices.currency, zonedIso(config.siteTz)),
            allFinishedJobs(reports, days, jobFilterOf(query, window)),
          ),
        );
      return Readable.from(
        csvStream(groupColumns(grouping, prices.currency), allGroups(reports, usageFilterOf(query, window), grouping)),
      );
    },
  );
}

const CSV_PAGE = 1_000;

async function* allGroups(queries: Queries, filter: UsageFilter, grouping: Grouping): AsyncGenerator<UsageGroup[]> {
  for (let after: UsageGroup | undefined; ;) {
    const page: UsageGroup[] = await dearestBy(queries, filter, grouping, { limit: CSV_PAGE, after });
    if (page.length > 0) yield page;
    after = page.at(-1);
    if (page.length < CSV_PAGE) return;
  }
}

function groupColumns(grouping: Grouping, currency: Currency): CsvColumn<UsageGroup>[] {
  return [
    { header: grouping, value: ({ key }) => key },
    { header: "jobs", value: ({ jobs }) => jobs },
    { header: "failed_jobs", value: ({ failedJobs }) => failedJobs },
    { header: "cpu_seconds", value: ({ cpuSeconds }) => cpuSeconds },
    { header: "gpu_seconds", value: ({ gpuSeconds }) => gpuSeconds },
    { header: "mem_mib_seconds", value: ({ memMibSeconds }) => memMibSeconds },
    { header: "node_seconds", value: ({ nodeSeconds }) => nodeSeconds },
    ...amountColumns(currency),
  ];
}
