/** The console's payments: what needs somebody, and what they do about it. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { VNode } from "preact";
import { z } from "zod";
import { overpaidReceipts } from "../../../billing/queries.ts";
import { REASON_LONGEST } from "../../../billing/settle.ts";
import { ConflictError, UserError } from "../../../errors.ts";
import { dismissLine, importStatement, matchLine, matchOpenLines } from "../../../payments/bank-import.ts";
import {
  bankStatements,
  findBankLine,
  findStatement,
  linesOfStatement,
  openBankLineCount,
  openBankLines,
  receiptsWaitingFor,
} from "../../../payments/bank-queries.ts";
import {
  contentOf,
  deadLetters,
  deliveryCounts,
  dismissDelivery,
  findDelivery,
  replayDelivery,
  waitingDeliveries,
} from "../../../payments/dead-letters.ts";
import { openDisputes } from "../../../payments/disputes.ts";
import { eventsOfDelivery } from "../../../payments/events.ts";
import { BankLinePage, EventPage, StatementPage, type BankLinePageProps } from "../../pages/admin/payment-details.tsx";
import { PaymentsPage } from "../../pages/admin/payments.tsx";
import { sectionHref, type AdminView } from "../../pages/admin/view.ts";
import { receiveFiles, sentFile } from "../../plugins/multipart.ts";
import { wantsJson } from "../../plugins/wants-json.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { actorOf, adminView, idParam, parseId, readQuery, text, type AdminContext } from "./context.ts";

const SHOWN = 50;
const LINES_PER_PAGE = 200;
const STATEMENT_LIMIT_BYTES = 8 * 1024 * 1024;
/** A body longer than any event is not shown whole. */
const SHOWN_BODY = 20_000;

const count = z.coerce.number().int().min(0).max(1_000_000).optional();
const sectionQuery = z.object({
  notice: z.enum(["import", "match", "dismiss", "replay", "rematch"]).optional(),
  matched: count,
  open: count,
});
const pageQuery = z.object({ after: z.string().max(20).optional() });
const config = { access: "admin" } as const;
const reasonForm = z.object({ reason: text(4_000).default("") });

export async function paymentsSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const query = readQuery(sectionQuery, request.query);
  const view = adminView(request, context, "payments");
  return paymentsPage(context, view, { notice: noticeOf(view, query), problem: undefined });
}

function noticeOf({ t }: AdminView, { notice, matched, open }: z.output<typeof sectionQuery>): string | undefined {
  switch (notice) {
    case "import":
      return t("paying.doneImport", { matched: matched ?? 0, open: open ?? 0 });
    case "match":
      return t("paying.doneMatch");
    case "dismiss":
      return t("paying.doneDismiss");
    case "replay":
      return t("paying.doneReplay");
    case "rematch":
      return t("paying.doneRematch", { count: matched ?? 0 });
    case undefined:
      return undefined;
  }
}

async function paymentsPage(
  { db }: AdminContext,
  view: AdminView,
  said: { readonly notice: string | undefined; readonly problem: string | undefined },
): Promise<VNode> {
  const [overpaid, lines, openLines, dead, waiting, counts, disputes, statements] = await Promise.all([
    overpaidReceipts(db, SHOWN),
    openBankLines(db, SHOWN),
    openBankLineCount(db),
    deadLetters(db, SHOWN),
    waitingDeliveries(db, SHOWN),
    deliveryCounts(db),
    openDisputes(db, SHOWN),
    bankStatements(db, SHOWN),
  ]);
  return (
    <PaymentsPage
      view={view}
      overpaid={overpaid}
      lines={lines}
      openLines={openLines}
      dead={dead}
      waiting={waiting}
      counts={{ dead: Number(counts.dead), waiting: Number(counts.waiting) }}
      disputes={disputes}
      statements={statements}
      {...said}
    />
  );
}

export async function paymentAdminRoutes(app: App, context: AdminContext): Promise<void> {
  bankLineRoutes(app, context);
  eventRoutes(app, context);
  await app.register(async (scope) => {
    statementRoutes(scope.withTypeProvider<ZodTypeProvider>(), context);
  });
}

function statementRoutes(app: App, context: AdminContext): void {
  const { db, payments } = context;
  receiveFiles(app, { limitBytes: STATEMENT_LIMIT_BYTES });

  app.post(
    "/admin/statements",
    {
      config,
      bodyLimit: STATEMENT_LIMIT_BYTES,
      schema: { body: z.object({ file: z.union([sentFile, z.string()]).optional() }) },
    },
    async (request, reply) => {
      const { file } = request.body;
      const view = adminView(request, context, "payments");
      const refuse = async (problem: string, status: number): Promise<FastifyReply> => {
        if (wantsJson(request)) throw new UserError(problem, { status });
        return renderPage(reply.code(status), await paymentsPage(context, view, { notice: undefined, problem }));
      };
      if (file === undefined || typeof file === "string" || file.bytes.length === 0)
        return refuse(view.t("paying.fileMissing"), 400);
      try {
        const { matched, open } = await importStatement(payments, file, actorOf(request));
        return reply.redirect(sectionHref("payments", { notice: "import", matched, open }), 303);
      } catch (error) {
        if (error instanceof UserError) return refuse(error.message, error.status);
        throw error;
      }
    },
  );

  app.get(
    "/admin/statements/:id",
    { config, schema: { params: idParam, querystring: pageQuery } },
    async (request, reply) => {
      const statement = await findStatement(db, parseId(request.params.id));
      if (statement === undefined) throw new UserError("there is no such statement", { status: 404 });
      const after = request.query.after === undefined ? undefined : parseId(request.query.after);
      const lines = await linesOfStatement(db, statement.id, { limit: LINES_PER_PAGE + 1, after });
      const shown = lines.slice(0, LINES_PER_PAGE);
      const last = shown.at(-1);
      const next =
        lines.length > LINES_PER_PAGE && last !== undefined
          ? `/admin/statements/${statement.id}?after=${last.id}`
          : null;
      return renderPage(
        reply,
        <StatementPage
          view={adminView(request, context, "payments")}
          statement={statement}
          lines={shown}
          nextHref={next}
        />,
      );
    },
  );
}

function bankLineRoutes(app: App, context: AdminContext): void {
  const { db, payments } = context;
  const SUGGESTED = 5;

  app.post("/admin/bank-lines/rematch", { config }, async (request, reply) => {
    const matched = await matchOpenLines(payments, actorOf(request));
    return reply.redirect(sectionHref("payments", { notice: "rematch", matched }), 303);
  });

  async function linePage(
    request: FastifyRequest,
    idText: string,
    typed: Pick<BankLinePageProps, "values" | "wrong">,
  ): Promise<VNode> {
    const line = await findBankLine(db, parseId(idText));
    if (line === undefined) throw new UserError("there is no such line of a statement", { status: 404 });
    if (line.status !== "open") throw new ConflictError(`this line is ${line.status} already`);
    const suggestions = await receiptsWaitingFor(db, line, SUGGESTED);
    return (
      <BankLinePage view={adminView(request, context, "payments")} line={line} suggestions={suggestions} {...typed} />
    );
  }

  app.get("/admin/bank-lines/:id", { config, schema: { params: idParam } }, async (request, reply) =>
    renderPage(reply, await linePage(request, request.params.id, { values: {}, wrong: undefined })),
  );

  app.post(
    "/admin/bank-lines/:id/match",
    { config, schema: { params: idParam, body: z.object({ number: text(4_000).default("") }) } },
    async (request, reply) => {
      const { number } = request.body;
      try {
        await matchLine(payments, parseId(request.params.id), number, actorOf(request));
      } catch (error) {
        if (!(error instanceof UserError) || error instanceof ConflictError || wantsJson(request)) throw error;
        const typed = { values: { number }, wrong: "number" } as const;
        return renderPage(reply.code(400), await linePage(request, request.params.id, typed));
      }
      return reply.redirect(sectionHref("payments", { notice: "match" }), 303);
    },
  );

  app.post(
    "/admin/bank-lines/:id/dismiss",
    { config, schema: { params: idParam, body: reasonForm } },
    async (request, reply) => {
      const { reason } = request.body;
      if (isReasonWrong(reason) && !wantsJson(request)) {
        const typed = { values: { reason }, wrong: "reason" } as const;
        return renderPage(reply.code(400), await linePage(request, request.params.id, typed));
      }
      await dismissLine(payments, parseId(request.params.id), reason, actorOf(request));
      return reply.redirect(sectionHref("payments", { notice: "dismiss" }), 303);
    },
  );
}

function isReasonWrong(reason: string): boolean {
  const length = reason.trim().length;
  return length === 0 || length > REASON_LONGEST;
}

function eventRoutes(app: App, context: AdminContext): void {
  const { db, payments } = context;

  async function eventPage(
    request: FastifyRequest,
    idText: string,
    typed: { readonly reason: string; readonly isReasonWrong: boolean },
  ): Promise<VNode> {
    const delivery = await findDelivery(db, parseId(idText));
    if (delivery === undefined) throw new UserError("there is no such event", { status: 404 });
    const [{ body, headers }, events] = await Promise.all([
      contentOf(db, delivery.id),
      eventsOfDelivery(db, delivery.id),
    ]);
    return (
      <EventPage
        view={adminView(request, context, "payments")}
        delivery={delivery}
        body={body.toString("utf8").slice(0, SHOWN_BODY)}
        headers={headers}
        events={events}
        {...typed}
      />
    );
  }

  app.get("/admin/payment-events/:id", { config, schema: { params: idParam } }, async (request, reply) =>
    renderPage(reply, await eventPage(request, request.params.id, { reason: "", isReasonWrong: false })),
  );

  app.post("/admin/payment-events/:id/replay", { config, schema: { params: idParam } }, async (request, reply) => {
    await replayDelivery(payments, parseId(request.params.id), actorOf(request));
    return reply.redirect(sectionHref("payments", { notice: "replay" }), 303);
  });

  app.post(
    "/admin/payment-events/:id/dismiss",
    { config, schema: { params: idParam, body: reasonForm } },
    async (request, reply) => {
      const { reason } = request.body;
      if (isReasonWrong(reason) && !wantsJson(request))
        return renderPage(
          reply.code(400),
          await eventPage(request, request.params.id, { reason, isReasonWrong: true }),
        );
      await dismissDelivery(payments, parseId(request.params.id), reason, actorOf(request));
      return reply.redirect(sectionHref("payments", { notice: "dismiss" }), 303);
    },
  );
}
