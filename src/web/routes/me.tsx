import { Readable } from "node:stream";
import { z } from "zod";
import { correctionsOfJob } from "../../billing/corrections.ts";
import { explainJob } from "../../billing/explain.ts";
import { issueReceipt } from "../../billing/issue.ts";
import { listReceipts } from "../../billing/queries.ts";
import { csvStream } from "../../documents/csv.ts";
import { zonedIso } from "../../documents/instant.ts";
import { ConflictError, UserError } from "../../errors.ts";
import { usageColumns } from "../../usage/csv-columns.ts";
import { readPricing } from "../../usage/prices/book.ts";
import { allFinishedJobs, findJob } from "../../usage/queries/job-list.ts";
import { JobPage } from "../pages/me/job.tsx";
import type { MeNotice } from "../pages/me/shell.tsx";
import { MessageError } from "../plugins/message-error.ts";
import { wantsJson } from "../plugins/wants-json.ts";
import { renderPage, requireUser, userFrame, type RouteModule } from "../route-kit.ts";
import { addressText, meQuery, startOf, todayOf, viewOf, type MeDeps } from "./me-common.ts";
import { groupCsvRoute } from "./me-group-csv.ts";
import { groupOf, groupPage } from "./me-group.tsx";
import { overviewPage } from "./me-overview.tsx";
import { billedPage, jobFilterOf, jobsFilterOf, jobsPage, trendPage } from "./me-views.tsx";
import { attachment, csvBody, csvHeaders } from "./support/csv-reply.ts";
import { jobView } from "./support/job-view.ts";
import { readerOf } from "./support/reader.ts";
import { daysOfFile, FIRST_DAY, LAST_DAY, parseDay } from "./support/window.ts";

const csvQuery = z.object({
  start: z
    .string()
    .optional()
    .meta({ description: "First day (YYYY-MM-DD, site's time zone); from the beginning unless given" }),
  end: z.string().optional().meta({ description: "Last day, included; until now unless given" }),
  before: z.string().optional().meta({ description: "The same as end" }),
  q: addressText.meta({ description: "Beginning of the job id, or part of the job's name or account" }),
  state: addressText.meta({ description: "A job state such as COMPLETED, or failed for all that failed or were lost" }),
  account: addressText,
  billed: addressText.meta({ description: "yes: on a receipt; no: on none" }),
});

const jobParams = z.object({ cluster: z.string(), rawJobId: z.string(), submit: z.string() });

/** What no job can be called by. */
const IMPOSSIBLE = /\0/u;

/** The own usage: pages, file, and the receipt made of it. */
export function meRoutes(deps: MeDeps): RouteModule {
  const { billing, days } = deps;
  return (app, { db, reports, metrics, config }) => {
    app.get("/me", { config: { access: "user" }, schema: { querystring: meQuery } }, async (request, reply) => {
      const { query } = request;
      const { username } = requireUser(request);
      const news: MeNotice[] =
        query.notice === "nothing" ? [{ kind: "nothingToBill", newest: await newestReceipt(username) }] : [];
      const view = viewOf(query);
      const group = view === "group" ? await groupOf(db, username, query) : undefined;
      const start = await startOf(request, deps, query, { news, range: group?.range });
      if (start.hasProblem) reply.code(400);
      if (group !== undefined) return renderPage(reply, await groupPage(db, query, start, group));
      if (view === "detail") return renderPage(reply, await jobsPage(request, deps, query, start));
      if (view === "billed") return renderPage(reply, await billedPage(deps, query, start));
      if (view === "trend") return renderPage(reply, await trendPage(deps, start));
      return renderPage(reply, await overviewPage(request, { db }, deps, start));
    });

    app.get(
      "/me.csv",
      {
        config: { access: "user" },
        schema: {
          tags: ["Usage"],
          summary: "Own finished jobs as CSV",
          description:
            "One line per job, by end. Without dates everything; days are whole days in the site's time zone, both included.",
          security: [{ session: [] }],
          querystring: csvQuery,
          response: { 200: csvBody },
        },
      },
      async (request, reply) => {
        const { username } = requireUser(request);
        const asked = daysOfFile(request.query);
        const filter = jobFilterOf(
          username,
          { fromDay: asked.start ?? FIRST_DAY, toDay: asked.before ?? LAST_DAY },
          jobsFilterOf(request.query),
        );
        const columns = usageColumns(config.currency, zonedIso(config.siteTz));
        csvHeaders(reply, attachment(["usage", username, asked.start, asked.before]));
        return Readable.from(csvStream(columns, allFinishedJobs(reports, days, filter)));
      },
    );

    groupCsvRoute(app, { db, config });

    app.post(
      "/me/receipt",
      { config: { access: "user" }, schema: { body: z.object({ before: z.string().max(200).default("") }) } },
      async (request, reply) => {
        const { username } = requireUser(request);
        const today = todayOf(deps);
        const text = request.body.before.trim();
        const cutoffDay = text === "" ? today : parseDay(text);
        if (cutoffDay === undefined || cutoffDay > today) {
          if (wantsJson(request))
            throw new UserError(
              `before "${text.slice(0, 40)}" is not accepted: write a day as YYYY-MM-DD that is not after today, ${today}`,
            );
          const problem: MeNotice =
            cutoffDay === undefined
              ? { kind: "cutoffNotADay", text: text.slice(0, 40) }
              : { kind: "futureCutoff", day: cutoffDay };
          return renderPage(
            reply.code(400),
            await overviewPage(request, { db }, deps, await startOf(request, deps, {}, { news: [problem] })),
          );
        }
        const issued = await issueOrNothing(username, cutoffDay, request.id);
        if (issued === undefined) return reply.redirect("/me?notice=nothing", 303);
        metrics.receiptsIssued.inc();
        return reply.redirect(`/me/receipts/${issued.id}`, 303);
      },
    );

    app.get(
      "/me/jobs/:cluster/:rawJobId/:submit",
      { config: { access: "user" }, schema: { params: jobParams } },
      async (request, reply) => {
        const user = requireUser(request);
        const { cluster, rawJobId, submit } = request.params;
        const job =
          /^\d{1,12}$/u.test(submit) && !IMPOSSIBLE.test(cluster + rawJobId)
            ? await findJob(db, { cluster, rawJobId, submitAt: Number(submit) })
            : undefined;
        // Somebody else's job is as unknown as one that never was.
        if (job === undefined || (job.user !== user.username && user.role !== "admin"))
          throw new MessageError("error.text.notFound", { status: 404 });
        const pricing = await readPricing(db, config.currency, { hold: false });
        const now = billing.clock.now();
        const reader = readerOf(request);
        const [explanation, corrections] = await Promise.all([
          explainJob(db, pricing, job, now),
          correctionsOfJob(db, job, user.role === "admin" ? {} : { userName: user.username }),
        ]);
        return renderPage(
          reply,
          <JobPage
            frame={userFrame(request, "usage")}
            fmt={reader.fmt}
            job={job}
            view={jobView(reader, job, explanation, now)}
            corrections={corrections}
          />,
        );
      },
    );

    async function newestReceipt(userName: string): Promise<{ number: string; href: string } | null> {
      const [newest] = await listReceipts(db, { userName }, { limit: 1 });
      return newest === undefined ? null : { number: newest.number, href: `/me/receipts/${newest.id}` };
    }

    /** Somebody who was faster has billed the same jobs: for whoever asked, there is nothing left. */
    async function issueOrNothing(userName: string, cutoffDay: string, requestId: string) {
      try {
        return await issueReceipt(billing, { userName, cutoffDay }, { actor: userName, requestId });
      } catch (error) {
        if (error instanceof ConflictError) return undefined;
        throw error;
      }
    }
  };
}
