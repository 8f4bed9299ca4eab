/** Files for finance, and the admin's own usage. */
import { Readable } from "node:stream";
import { z } from "zod";
import { paidColumns } from "../../../billing/csv-columns.ts";
import { paidReceipts } from "../../../billing/queries.ts";
import { csvStream } from "../../../documents/csv.ts";
import { zonedIso } from "../../../documents/instant.ts";
import { usageColumns } from "../../../usage/csv-columns.ts";
import { allFinishedJobs } from "../../../usage/queries/job-list.ts";
import { addDays } from "../../../usage/site-day.ts";
import { requireAdmin, type App } from "../../route-kit.ts";
import { attachment, csvBody, csvHeaders } from "../support/csv-reply.ts";
import { daysOfFile, FIRST_DAY, LAST_DAY, type DayWindow } from "../support/window.ts";
import { startOfDay } from "./billing.tsx";
import type { AdminContext } from "./context.ts";

const day = z.string().optional().meta({ description: "YYYY-MM-DD, a whole day in the site's time zone" });
const daysQuery = z.object({ start: day, end: day, before: day.meta({ description: "The same as end" }) });

/** Everything, unless days are given. @throws {UserError} that says how a day is written. */
function windowOf(query: z.output<typeof daysQuery>): DayWindow {
  const { start, before } = daysOfFile(query);
  return { fromDay: start ?? FIRST_DAY, toDay: before ?? LAST_DAY };
}

export function exportRoutes(app: App, { reports, config, days }: AdminContext): void {
  const instant = zonedIso(config.siteTz);
  const described = {
    tags: ["Exports"],
    security: [{ session: [] }],
    querystring: daysQuery,
    response: { 200: csvBody },
  };

  app.get(
    "/admin/paid.csv",
    {
      config: { access: "admin" },
      schema: {
        ...described,
        summary: "Paid receipts as CSV",
        description: "In order of payment, by the day they were paid; both days are included, without days everything.",
      },
    },
    (request, reply) => {
      const { fromDay, toDay } = windowOf(request.query);
      csvHeaders(reply, attachment(["paid", request.query.start, request.query.end]));
      return Readable.from(
        csvStream(
          paidColumns(instant),
          paidReceipts(reports, startOfDay(days, fromDay), startOfDay(days, addDays(toDay, 1))),
        ),
      );
    },
  );

  app.get(
    "/admin/my.csv",
    {
      config: { access: "admin" },
      schema: {
        ...described,
        summary: "The admin's own usage as CSV",
        description: "Finished jobs of whoever asks, oldest first, by the day they ended.",
      },
    },
    (request, reply) => {
      const { username } = requireAdmin(request);
      const jobs = allFinishedJobs(reports, days, { ...windowOf(request.query), userName: username });
      csvHeaders(reply, attachment(["usage", username]));
      return Readable.from(csvStream(usageColumns(config.currency, instant), jobs));
    },
  );
}
