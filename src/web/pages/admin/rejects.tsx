/** Rows of a cluster that could not be read, and why. */
import type { SyncReject } from "../../../usage/sync/rejects.ts";
import { AdminShell } from "../layout.tsx";
import { DataTable, EmptyState, LinkButton, Panel, type Column } from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import { hrefOf, sectionHref, type AdminView } from "./view.ts";

export interface RejectsPageProps {
  readonly view: AdminView;
  readonly cluster: string;
  readonly rejects: readonly SyncReject[];
}

export function RejectsPage({ view, cluster, rejects }: RejectsPageProps) {
  const { t, frame } = view;
  const title = t("sources.rejectsTitle", { cluster });
  return (
    <AdminShell
      frame={frame}
      title={title}
      subtitle={t("sources.rejectsText")}
      actions={<LinkButton href={sectionHref("sources")}>{t("sources.rejectsBack")}</LinkButton>}
    >
      <Panel
        id="rejects"
        title={t("sources.rejects")}
        body="flush"
        actions={
          <LinkButton href={hrefOf("/admin/sources/rejects.csv", { cluster })} icon="download" size="small" download>
            {t("sources.rejectsCsv")}
          </LinkButton>
        }
      >
        {rejects.length === 0 ? (
          <EmptyState title={t("sources.rejectsNone", { cluster })} />
        ) : (
          <DataTable caption={title} columns={columnsOf(view)} rows={rejects} phone="scroll" />
        )}
      </Panel>
    </AdminShell>
  );
}

function columnsOf(view: AdminView): Column<SyncReject>[] {
  const { t } = view;
  return [
    { key: "reason", header: t("sources.reject.reason"), cell: ({ reason }) => reason },
    { key: "source", header: t("sources.column.source"), cell: ({ source }) => source },
    { key: "line", header: t("sources.reject.line"), align: "end", cell: ({ line }) => String(line) },
    { key: "text", header: t("sources.reject.text"), cell: ({ text }) => <code class="break-anywhere">{text}</code> },
    {
      key: "first",
      header: t("sources.reject.first"),
      nowrap: true,
      cell: ({ firstSeenAt }) => <Instant view={view} at={firstSeenAt} />,
    },
    {
      key: "last",
      header: t("sources.reject.last"),
      nowrap: true,
      cell: ({ lastSeenAt }) => <Instant view={view} at={lastSeenAt} />,
    },
  ];
}
