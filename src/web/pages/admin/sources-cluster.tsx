/** One cluster of the page of sources: what it is read from, what went wrong, and the button. */
import type { ClusterStatus, SourceStatus, SyncRun } from "../../../usage/sync/status.ts";
import {
  Button,
  CsrfField,
  DataTable,
  HiddenFields,
  Notice,
  Pill,
  Progress,
  Terms,
  type Column,
  type Term,
} from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import type { ClusterView } from "./sources.tsx";
import { LIMIT_WORDS, SOURCE_NAMES } from "./sources-words.ts";
import { hrefOf, type AdminView } from "./view.ts";

/** Starts a sync, or stops the one that is under way. */
export function SyncButton({
  view,
  name,
  status,
  look,
}: ClusterView & { readonly view: AdminView; readonly look: "primary" | "small" }) {
  const { t, frame } = view;
  const isSyncing = status?.isSyncing === true;
  if (status?.isCanceling === true) return <span class="small second">{t("sources.canceling")}</span>;
  return (
    <form method="post" action={isSyncing ? "/admin/sources/cancel" : "/admin/sources/sync"} class="actions">
      <CsrfField token={frame.csrfToken} />
      <HiddenFields values={{ cluster: name ?? "default" }} />
      <Button
        kind={look === "primary" && !isSyncing ? "primary" : "secondary"}
        size={look === "small" ? "small" : "normal"}
        busyText={t("action.working")}
      >
        {isSyncing ? t("sources.cancel") : t("sources.sync")}
      </Button>
    </form>
  );
}

/** What does not work: what happened, what is safe, what follows. */
export function Troubles({ view, status }: { readonly view: AdminView; readonly status: ClusterStatus }) {
  const { t } = view;
  const { cluster, failures, lastError, accountsError } = status;
  return (
    <>
      {lastError === null ? null : failures > 0 ? (
        <Notice kind="error" t={t} title={t("sources.failedTitle", { cluster })}>
          {t("sources.failedText", { error: lastError, count: failures })}
        </Notice>
      ) : (
        <Notice kind="warning" t={t} title={t("sources.troubleTitle", { cluster })}>
          {lastError}
        </Notice>
      )}
      {accountsError === null ? null : (
        <Notice kind="warning" t={t} title={t("sources.accountsTitle", { cluster })}>
          {accountsError}
        </Notice>
      )}
    </>
  );
}

export function SourceList({
  view,
  status,
  run,
}: {
  readonly view: AdminView;
  readonly status: ClusterStatus;
  readonly run: SyncRun | undefined;
}) {
  const { t } = view;
  return (
    <>
      {status.isSyncing && run !== undefined ? (
        <div class="panel-filter">
          <Progress
            label={t("sources.progress", {
              done: run.windowsDone,
              total: run.windowsTotal,
              jobs: run.new + run.changed + run.unchanged + run.running,
            })}
            done={run.windowsDone}
            total={run.windowsTotal}
          />
        </div>
      ) : null}
      <Terms terms={factsOf(view, status, run)} />
      {status.sources.length === 0 ? null : (
        <DataTable
          caption={t("sources.cascade", { cluster: status.cluster })}
          columns={columnsOf(view)}
          rows={status.sources}
        />
      )}
    </>
  );
}

function factsOf(view: AdminView, status: ClusterStatus, run: SyncRun | undefined): Term[] {
  const { t, fmt } = view;
  const source = (status.isSyncing ? run?.source : null) ?? status.source;
  const facts: Term[] = [
    {
      term: t("sources.completeUntil"),
      value: status.completeUntil === null ? "–" : <Instant view={view} at={status.completeUntil} />,
    },
    { term: t("sources.readFrom"), value: source === null ? "–" : t(SOURCE_NAMES[source]) },
    {
      term: t("sources.accounts"),
      value:
        status.accountsSyncedAt === null
          ? t("sources.accountsNever")
          : t("sources.accountsAt", { time: fmt.time(status.accountsSyncedAt) }),
    },
  ];
  if (status.rejects > 0) {
    const href = hrefOf("/admin/sources/rejects", { cluster: status.cluster });
    facts.push({ term: t("sources.rejects"), value: <a href={href}>{fmt.integer(status.rejects)}</a> });
  }
  if (status.vanishedJobs > 0) {
    facts.push({
      term: t("sources.vanished"),
      value: fmt.integer(status.vanishedJobs),
      note: t("sources.vanishedNote"),
    });
  }
  return facts;
}

function columnsOf(view: AdminView): Column<SourceStatus>[] {
  const { t } = view;
  return [
    {
      key: "source",
      header: t("sources.column.source"),
      cell: ({ source, address, limits, error }) => (
        <>
          <span class="line-main">{t(SOURCE_NAMES[source])}</span>
          <span class="line-note break-anywhere">{address}</span>
          {limits.map((limit) => (
            <span class="line-note">{t(LIMIT_WORDS[limit])}</span>
          ))}
          {error === null ? null : <span class="line-note break-anywhere bad">{error}</span>}
        </>
      ),
    },
    { key: "version", header: t("sources.column.version"), cell: ({ version }) => version },
    {
      key: "checked",
      header: t("sources.column.checked"),
      nowrap: true,
      cell: ({ checkedAt }) => (checkedAt === null ? "–" : <Instant view={view} at={checkedAt} />),
    },
    {
      key: "state",
      header: t("sources.column.state"),
      align: "end",
      cell: ({ ok }) =>
        ok === null ? (
          <Pill tone="neutral">{t("sources.notChecked")}</Pill>
        ) : ok ? (
          <Pill tone="good">{t("sources.works")}</Pill>
        ) : (
          <Pill tone="bad">{t("sources.fails")}</Pill>
        ),
    },
  ];
}
