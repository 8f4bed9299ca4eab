/** Does usage flow in? */
import type { NamingProblem } from "../../../usage/sync/clusters.ts";
import { lagSeconds, type ClusterStatus, type SyncRun } from "../../../usage/sync/status.ts";
import { AdminShell } from "../layout.tsx";
import { AnswerPanel, EmptyState, FigureGrid, KeyFigure, Notice, Panel, Pill } from "../ui/index.ts";
import { SourceList, SyncButton, Troubles } from "./sources-cluster.tsx";
import { ReadAgain, RunList } from "./sources-runs.tsx";
import { NOTICES } from "./sources-words.ts";
import type { AdminView } from "./view.ts";

export interface ClusterView {
  /** Null until the cluster has told its name. */
  readonly name: string | null;
  readonly status: ClusterStatus | undefined;
  /** The newest first. */
  readonly runs: readonly SyncRun[];
}

export interface SourcesPageProps {
  readonly view: AdminView;
  readonly clusters: readonly ClusterView[];
  /** Why a cluster without a configured name could not be asked for it; null where it was. */
  readonly namingProblem: NamingProblem | null;
  /** Differs as soon as the page would. */
  readonly pollStatus: string;
  readonly notice:
    | {
        readonly kind: keyof typeof NOTICES;
        readonly cluster: string;
      }
    | undefined;
}

export function SourcesPage({ view, clusters, namingProblem, pollStatus, notice }: SourcesPageProps) {
  const { t, fmt, frame, now } = view;
  return (
    <AdminShell frame={frame} title={t("sources.title")}>
      {notice === undefined ? null : (
        <Notice kind={NOTICES[notice.kind][1]} t={t} title={t(NOTICES[notice.kind][0], { cluster: notice.cluster })} />
      )}
      {namingProblem === null ? null : (
        <Notice kind="error" t={t} title={t("sources.namingTitle")}>
          {t("sources.namingText", { error: namingProblem.error, age: fmt.age(ageSeconds(now, namingProblem.at)) })}
        </Notice>
      )}
      {clusters.length === 0 ? (
        <Panel>
          <EmptyState title={t("sources.emptyTitle")}>{t("sources.emptyText")}</EmptyState>
        </Panel>
      ) : (
        <>
          <Answer view={view} clusters={clusters} />
          {clusters.map((cluster) => (
            <Cluster view={view} {...cluster} isOnly={clusters.length === 1} />
          ))}
          <ReadAgain view={view} clusters={clusters} />
          <div data-poll-url="/admin/sources.json" data-poll-status={pollStatus} />
        </>
      )}
    </AdminShell>
  );
}

function ageSeconds(now: Date, at: Date): number {
  return Math.max(0, (now.getTime() - at.getTime()) / 1000);
}

interface Lag {
  readonly cluster: string;
  readonly seconds: number;
  readonly until: Date;
}

/** The cluster that is furthest behind decides what can be said of all. */
function Answer({ view, clusters }: { readonly view: AdminView; readonly clusters: readonly ClusterView[] }) {
  const { t, fmt, now } = view;
  const lags = clusters.flatMap(({ status }): Lag[] => {
    const seconds = status === undefined ? null : lagSeconds(status, now);
    if (status === undefined || status.completeUntil === null || seconds === null) return [];
    return [{ cluster: status.cluster, seconds, until: status.completeUntil }];
  });
  const worst = lags.reduce<Lag | undefined>(
    (most, lag) => (most === undefined || lag.seconds > most.seconds ? lag : most),
    undefined,
  );
  const statuses = clusters.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const total = (count: (status: ClusterStatus) => number): number =>
    statuses.reduce((sum, status) => sum + count(status), 0);
  const only = clusters.length === 1 ? clusters[0] : undefined;
  return (
    <AnswerPanel
      answer={
        <>
          <KeyFigure
            label={t("sources.behind")}
            value={worst === undefined ? t("sources.behindUnknown") : fmt.span(worst.seconds)}
            note={
              worst === undefined
                ? t("sources.completeNever")
                : t("sources.completeNote", {
                    cluster: worst.cluster,
                    time: `${fmt.date(worst.until)} ${fmt.time(worst.until)}`,
                  })
            }
          />
          {only === undefined ? null : <SyncButton view={view} {...only} look="primary" />}
        </>
      }
    >
      <FigureGrid
        figures={[
          {
            label: t("sources.clusters"),
            value: fmt.integer(
              statuses.filter(({ failures, lastError }) => failures === 0 && lastError === null).length,
            ),
            note: t("sources.clustersNote", { count: clusters.length }),
          },
          {
            label: t("sources.rejects"),
            value: fmt.integer(total(({ rejects }) => rejects)),
            note: total(({ rejects }) => rejects) === 0 ? undefined : t("sources.rejectsNote"),
          },
          {
            label: t("sources.vanished"),
            value: fmt.integer(total(({ vanishedJobs }) => vanishedJobs)),
            note: total(({ vanishedJobs }) => vanishedJobs) === 0 ? undefined : t("sources.vanishedNote"),
          },
        ]}
      />
    </AnswerPanel>
  );
}

/** What the next sync should have brought in by now. */
const BEHIND_SECONDS = 2 * 3_600;

function StatePill({ view, status }: { readonly view: AdminView; readonly status: ClusterStatus }) {
  const { t, now } = view;
  if (status.isSyncing) return <Pill tone="waiting">{t("sources.state.syncing")}</Pill>;
  if (status.failures > 0) return <Pill tone="bad">{t("sources.state.failing")}</Pill>;
  if (status.source === "file") return <Pill tone="neutral">{t("sources.state.files")}</Pill>;
  if ((lagSeconds(status, now) ?? BEHIND_SECONDS) >= BEHIND_SECONDS)
    return <Pill tone="waiting">{t("sources.state.behind")}</Pill>;
  if (status.lastError !== null) return <Pill tone="waiting">{t("sources.state.degraded")}</Pill>;
  return <Pill tone="good">{t("sources.state.current")}</Pill>;
}

function Cluster({
  view,
  name,
  status,
  runs,
  isOnly,
}: ClusterView & { readonly view: AdminView; readonly isOnly: boolean }) {
  const { t } = view;
  if (status === undefined) {
    return (
      <Panel title={name ?? undefined}>
        <EmptyState title={name === null ? t("sources.notAsked") : t("sources.notAskedNamed", { cluster: name })} />
      </Panel>
    );
  }
  const id = `cluster-${encodeURIComponent(status.cluster)}`;
  return (
    <>
      <Troubles view={view} status={status} />
      <Panel
        id={id}
        title={
          <>
            {status.cluster} <StatePill view={view} status={status} />
          </>
        }
        actions={
          isOnly ? undefined : <SyncButton view={view} name={status.cluster} status={status} runs={runs} look="small" />
        }
        body="flush"
        foot={<RunList view={view} cluster={status.cluster} runs={runs} />}
      >
        <SourceList view={view} status={status} run={runs[0]} />
      </Panel>
    </>
  );
}
