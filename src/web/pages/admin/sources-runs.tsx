/** The last syncs of a cluster, and the form that reads days again. */
import type { SyncRun } from "../../../usage/sync/status.ts";
import {
  Button,
  CsrfField,
  DataTable,
  DateField,
  Disclosure,
  HiddenFields,
  Panel,
  Pill,
  Select,
  type Column,
} from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import type { ClusterView } from "./sources.tsx";
import { COUNTS, RUN_STATES, SOURCE_NAMES } from "./sources-words.ts";
import type { AdminView } from "./view.ts";

export function RunList({
  view,
  cluster,
  runs,
}: {
  readonly view: AdminView;
  readonly cluster: string;
  readonly runs: readonly SyncRun[];
}) {
  const { t } = view;
  const title = t("sources.runs", { cluster });
  return (
    <Disclosure summary={title}>
      {runs.length === 0 ? (
        <p class="second">{t("sources.run.none")}</p>
      ) : (
        <DataTable caption={title} columns={columnsOf(view)} rows={runs} phone="scroll" />
      )}
    </Disclosure>
  );
}

function columnsOf(view: AdminView): Column<SyncRun>[] {
  const { t, fmt } = view;
  return [
    {
      key: "started",
      header: t("sources.run.started"),
      nowrap: true,
      cell: ({ startedAt }) => <Instant view={view} at={startedAt} />,
    },
    { key: "by", header: t("sources.run.by"), cell: ({ requestedBy }) => requestedBy },
    {
      key: "source",
      header: t("sources.column.source"),
      cell: ({ source }) => (source === null ? "–" : t(SOURCE_NAMES[source])),
    },
    {
      key: "range",
      header: t("sources.run.range"),
      nowrap: true,
      cell: ({ fromAt, toAt }) =>
        fromAt === null ? (
          "–"
        ) : (
          <>
            <Instant view={view} at={fromAt} /> –{" "}
            {toAt === null ? t("sources.run.now") : <Instant view={view} at={toAt} />}
          </>
        ),
    },
    ...COUNTS.map(([key, name]): Column<SyncRun> => ({
      key,
      header: t(name),
      align: "end",
      cell: (run) => fmt.integer(run[key]),
    })),
    {
      key: "result",
      header: t("sources.run.result"),
      align: "end",
      cell: ({ status, error }) => (
        <>
          <Pill tone={RUN_STATES[status][1]}>{t(RUN_STATES[status][0])}</Pill>
          {error === null ? null : <span class="line-note break-anywhere">{error}</span>}
        </>
      ),
    },
  ];
}

export function ReadAgain({ view, clusters }: { readonly view: AdminView; readonly clusters: readonly ClusterView[] }) {
  const { t, frame, today } = view;
  const names = clusters.flatMap(({ name }) => (name === null ? [] : [name]));
  const [only] = names;
  if (only === undefined) return null;
  return (
    <Panel id="again" title={t("sources.again")}>
      <form method="post" action="/admin/sources/sync" class="stack-form">
        <CsrfField token={frame.csrfToken} />
        <p class="second">{t("sources.againText")}</p>
        <div class="fields">
          {names.length === 1 ? (
            <HiddenFields values={{ cluster: only }} />
          ) : (
            <Select
              id="again-cluster"
              name="cluster"
              label={t("usage.one.cluster")}
              value={only}
              options={names.map((name) => ({ value: name, label: name }))}
            />
          )}
          <DateField t={t} id="again-from" name="from" label={t("range.from")} value="" max={today} required />
          <DateField t={t} id="again-to" name="to" label={t("range.to")} value={today} max={today} required />
        </div>
        <div class="actions">
          <Button busyText={t("action.working")}>{t("sources.againSubmit")}</Button>
        </div>
      </form>
    </Panel>
  );
}
