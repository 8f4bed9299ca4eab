import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import {
  allAuditRecords,
  auditActions,
  auditRecordCount,
  auditRecordsBefore,
  filteredAuditRecordsAfter,
  findAuditRecord,
  type AuditFilter,
  type AuditRecord,
} from "../../../audit/store.ts";
import { checkAudit, lastAuditCheck, verifyAudit, type AuditVerdict } from "../../../audit/verify.ts";
import { canonicalJson } from "../../../audit/chain.ts";
import { csvStream, type CsvColumn } from "../../../documents/csv.ts";
import { zonedIso } from "../../../documents/instant.ts";
import { UserError } from "../../../errors.ts";
import { AuditRecordPage } from "../../pages/admin/audit-record.tsx";
import { AuditPage } from "../../pages/admin/audit.tsx";
import { sectionHref } from "../../pages/admin/view.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { attachment, csvBody, csvHeaders } from "../support/csv-reply.ts";
import { adminView, filled, idParam, parseId, readQuery, type AdminContext } from "./context.ts";

const PAGE_RECORDS = 50;

const filterQuery = z.object({ actor: filled, action: filled, subject: filled });
const recordId = z
  .string()
  .regex(/^\d{1,18}$/u, "takes the number of a record")
  .transform((text) => BigInt(text))
  .optional();
const listQuery = filterQuery.extend({ older: recordId, newer: recordId, verified: z.string().optional() });

export async function auditSection(context: AdminContext, request: FastifyRequest): Promise<VNode> {
  const { older, newer, verified, ...filter } = readQuery(listQuery, request.query);
  const { records, hasNewer, hasOlder } = await recordsPage(context, filter, { older, newer });
  const [actions, count, lastCheck] = await Promise.all([
    auditActions(context.db),
    auditRecordCount(context.db),
    lastAuditCheck(context.db),
  ]);
  const [first, last] = [records.at(0), records.at(-1)];
  return (
    <AuditPage
      view={adminView(request, context, "audit")}
      filter={filter}
      records={records}
      actions={actions}
      count={count}
      lastCheck={lastCheck}
      isJustVerified={verified !== undefined}
      backHref={hasNewer && first !== undefined ? sectionHref("audit", { ...filter, newer: first.id }) : undefined}
      onHref={hasOlder && last !== undefined ? sectionHref("audit", { ...filter, older: last.id }) : undefined}
    />
  );
}

async function recordsPage(
  { db }: AdminContext,
  filter: AuditFilter,
  at: { readonly older: bigint | undefined; readonly newer: bigint | undefined },
): Promise<{ records: readonly AuditRecord[]; hasNewer: boolean; hasOlder: boolean }> {
  if (at.newer !== undefined) {
    const found = await filteredAuditRecordsAfter(db, filter, at.newer, PAGE_RECORDS + 1);
    return { records: found.slice(0, PAGE_RECORDS).reverse(), hasNewer: found.length > PAGE_RECORDS, hasOlder: true };
  }
  const found = await auditRecordsBefore(db, filter, at.older ?? null, PAGE_RECORDS + 1);
  return {
    records: found.slice(0, PAGE_RECORDS),
    hasNewer: at.older !== undefined,
    hasOlder: found.length > PAGE_RECORDS,
  };
}

const verdict = z.union([
  z.object({ ok: z.literal(true), records: z.number(), head: z.string() }),
  z.object({ ok: z.literal(false), broken_at: z.number(), reason: z.string() }),
]);

export function auditRoutes(app: App, context: AdminContext): void {
  const { db, clock, config, metrics, keyring } = context;
  const remember = (answer: AuditVerdict): AuditVerdict => {
    metrics.audit.note(answer, clock.now());
    return answer;
  };

  app.get("/admin/audit", { config: { access: "admin" } }, async (request, reply) =>
    renderPage(reply, await auditSection(context, request)),
  );

  app.post("/admin/audit/verify", { config: { access: "admin" } }, async (_request, reply) => {
    remember(await checkAudit(db, keyring, clock));
    return reply.redirect(sectionHref("audit", { verified: 1 }), 303);
  });

  app.get("/admin/audit/:id", { config: { access: "admin" }, schema: { params: idParam } }, async (request, reply) => {
    const record = await findAuditRecord(db, parseId(request.params.id));
    if (record === undefined) throw new UserError("there is no such audit record", { status: 404 });
    return renderPage(reply, <AuditRecordPage view={adminView(request, context, "audit")} record={record} />);
  });

  app.get(
    "/admin/audit.csv",
    {
      config: { access: "admin" },
      schema: {
        tags: ["Audit"],
        summary: "The audit trail as CSV, oldest first",
        description:
          "Each record with its hash, so that the chain can be checked elsewhere. Narrowed by exact values where they are given.",
        security: [{ session: [] }],
        querystring: filterQuery,
        response: { 200: csvBody },
      },
    },
    (request, reply) => {
      csvHeaders(reply, attachment(["audit"]));
      return Readable.from(csvStream(auditColumns(zonedIso(config.siteTz)), allAuditRecords(db, request.query)));
    },
  );

  app.get(
    "/admin/audit.verify.json",
    {
      config: { access: "admin", errors: "json" },
      schema: {
        tags: ["Audit"],
        summary: "Verify the audit chain",
        description:
          "Recomputes every record from the first to the head. `broken_at` is the first record that is not what was written.",
        security: [{ session: [] }],
        response: { 200: verdict },
      },
    },
    async () => {
      const answer = remember(await verifyAudit(db, keyring));
      return answer.ok
        ? { ok: true as const, records: Number(answer.records), head: answer.head }
        : { ok: false as const, broken_at: Number(answer.brokenAt), reason: answer.reason };
    },
  );
}

function auditColumns(instant: (epochSeconds: number) => string): CsvColumn<AuditRecord>[] {
  return [
    { header: "id", value: ({ id }) => id },
    { header: "at", value: ({ at }) => instant(Math.floor(at.getTime() / 1000)) },
    { header: "at_utc", value: ({ at }) => at.toISOString() },
    { header: "actor", value: ({ actor }) => actor },
    { header: "action", value: ({ action }) => action },
    { header: "subject", value: ({ subject }) => subject },
    { header: "details", value: ({ details }) => canonicalJson(details) },
    { header: "request_id", value: ({ requestId }) => requestId },
    { header: "key_id", value: ({ keyId }) => keyId },
    { header: "prev_hash", value: ({ prevHash }) => prevHash },
    { header: "hash", value: ({ hash }) => hash },
  ];
}
