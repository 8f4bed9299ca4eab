/** One audit record: what it says, what changed, and where it hangs in the chain. */
import type { AuditRecord } from "../../../audit/store.ts";
import { AdminShell } from "../layout.tsx";
import { DataTable, LinkButton, Panel } from "../ui/index.ts";
import { actionName } from "./audit.tsx";
import { Facts, Instant } from "./parts.tsx";
import { sectionHref, type AdminView } from "./view.ts";

/** A fact and, where the record knows both, what it was before. */
interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

export function AuditRecordPage({ view, record }: { readonly view: AdminView; readonly record: AuditRecord }) {
  const { t, fmt, frame } = view;
  const { changes, facts } = sortDetails(record.details);
  return (
    <AdminShell
      frame={frame}
      title={t("audit.recordTitle", { id: fmt.integer(record.id) })}
      subtitle={
        <>
          {actionName(record.action, t)} · <Instant view={view} at={record.at} />
        </>
      }
      actions={
        <LinkButton href={sectionHref("audit")} icon="back">
          {t("audit.back")}
        </LinkButton>
      }
    >
      <Panel>
        <Facts
          rows={[
            [t("audit.who"), <a href={sectionHref("audit", { actor: record.actor })}>{record.actor}</a>],
            [t("audit.what"), <code>{record.action}</code>],
            [
              t("audit.subject"),
              <a
                href={sectionHref("audit", { subject: record.subject })}
                title={t("audit.sameSubject", { subject: record.subject })}
              >
                {record.subject}
              </a>,
            ],
            ...(record.requestId === null ? [] : [[t("audit.requestId"), <code>{record.requestId}</code>] as const]),
          ]}
        />
      </Panel>
      {changes.length === 0 ? null : (
        <Panel id="changes" title={t("audit.changes")} body="flush">
          <DataTable<Change>
            caption={t("audit.changes")}
            rows={changes}
            columns={[
              { key: "name", header: t("audit.fact"), cell: ({ name }) => (name === "" ? t("audit.value") : name) },
              {
                key: "before",
                header: t("audit.before"),
                cell: ({ before }) => <span class="second">{before}</span>,
                phone: "line",
              },
              {
                key: "after",
                header: t("audit.after"),
                cell: ({ after, before }) => (after === before ? after : <strong>{after}</strong>),
                phone: "line",
              },
            ]}
          />
        </Panel>
      )}
      <Panel id="facts" title={t("audit.facts")}>
        {facts.length === 0 ? <p class="second">{t("audit.noFacts")}</p> : <Facts rows={facts} />}
      </Panel>
      <Panel id="chain" title={t("audit.chain")}>
        <Facts
          rows={[
            [t("audit.hash"), <code class="hash">{record.hash}</code>],
            [
              t("audit.prevHash"),
              record.prevHash === "" ? t("audit.firstRecord") : <code class="hash">{record.prevHash}</code>,
            ],
            [t("audit.keyId"), <code>{record.keyId}</code>],
          ]}
        />
      </Panel>
    </AdminShell>
  );
}

/** Splits details into what has a before and an after, and the rest. */
function sortDetails(details: unknown): {
  readonly changes: readonly Change[];
  readonly facts: readonly (readonly [string, string])[];
} {
  const all = membersOf(details);
  const changes: Change[] = [];
  const [before, after] = [all.get("before"), all.get("after")];
  if (all.has("before") || all.has("after")) changes.push(...changesBetween(before, after));
  for (const [name, value] of all) {
    const subject = /^before_(.+)$/u.exec(name)?.[1];
    if (subject !== undefined)
      changes.push({ name: subject, before: textOf(value), after: textOf(all.get(`after_${subject}`)) });
  }
  const facts = [...all]
    .filter(([name]) => !/^(?:before|after)(?:_|$)/u.test(name))
    .map(([name, value]) => [name, textOf(value)] as const);
  return { changes, facts };
}

function changesBetween(before: unknown, after: unknown): Change[] {
  const [from, to] = [membersOf(before), membersOf(after)];
  if (from.size === 0 && to.size === 0) return [{ name: "", before: textOf(before), after: textOf(after) }];
  const names = new Set([...from.keys(), ...to.keys()]);
  return [...names].map((name) => ({ name, before: textOf(from.get(name)), after: textOf(to.get(name)) }));
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : new Map();
}

const NOTHING = "–";

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? NOTHING : value.map(textOf).join("; ");
  const members = membersOf(value);
  if (members.size > 0) return [...members].map(([name, inner]) => `${name} ${textOf(inner)}`).join(", ");
  return typeof value === "number" || typeof value === "boolean" ? String(value) : NOTHING;
}
