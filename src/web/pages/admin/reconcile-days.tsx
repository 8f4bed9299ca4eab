/** Each day of each cluster: what we hold, and where the scheduler says otherwise. */
import type { ReconciledCluster, ReconciledDay } from "../../../usage/reconcile/queries.ts";
import { DataTable, Panel, Pill, TwoLines, type Column } from "../ui/index.ts";
import { usageHref } from "./usage-address.ts";
import type { AdminView } from "./view.ts";

/** Rows beyond these are shown only where something differs. */
const MOST_ROWS = 93;

export function DayTable({
  view,
  days,
  clusters,
}: {
  readonly view: AdminView;
  readonly days: readonly ReconciledDay[];
  readonly clusters: readonly ReconciledCluster[];
}) {
  const { t } = view;
  const shown = days.filter(({ breaks }, index) => breaks > 0n || index < MOST_ROWS);
  const hidden = days.length - shown.length;
  return (
    <Panel
      title={t("reconcile.days")}
      id="days"
      body="flush"
      foot={
        clusters.length === 0 && hidden === 0 ? undefined : (
          <div class="small third">
            {clusters.map(({ cluster, source, hiddenRuns }) => (
              <p>
                {t("reconcile.source", { cluster, source })}
                {hiddenRuns === 0 ? null : <> {t("reconcile.hidden", { count: hiddenRuns })}</>}
              </p>
            ))}
            {hidden === 0 ? null : <p>{t("reconcile.moreDays", { count: hidden })}</p>}
          </div>
        )
      }
    >
      <DataTable caption={t("reconcile.days")} rows={shown} columns={columnsOf(view)} />
    </Panel>
  );
}

function columnsOf({ t, fmt }: AdminView): Column<ReconciledDay>[] {
  const seconds = (
    key: "cpuSeconds" | "gpuSeconds" | "memMibSeconds",
    header: string,
    hours: (seconds: bigint) => string,
  ): Column<ReconciledDay> => ({
    key,
    header,
    align: "end",
    cell: ({ ours, theirs }) =>
      ours[key] === theirs[key] ? (
        hours(ours[key])
      ) : (
        <TwoLines
          main={hours(ours[key])}
          note={t("reconcile.secondsDifference", {
            theirs: hours(theirs[key]),
            seconds: fmt.integer(ours[key] - theirs[key]),
          })}
        />
      ),
  });
  return [
    {
      key: "day",
      header: t("reconcile.day"),
      cell: ({ day, cluster }) => (
        <a href={usageHref({ group: "jobs", start: day, before: day, cluster })}>{fmt.date(day)}</a>
      ),
      nowrap: true,
    },
    { key: "cluster", header: t("reconcile.cluster"), cell: ({ cluster }) => cluster, phone: "bare" },
    {
      key: "jobs",
      header: t("reconcile.jobs"),
      align: "end",
      cell: ({ ours, theirs }) =>
        ours.jobs === theirs.jobs ? (
          fmt.integer(ours.jobs)
        ) : (
          <TwoLines
            main={fmt.integer(ours.jobs)}
            note={t("reconcile.dayDifference", { theirs: fmt.integer(theirs.jobs) })}
          />
        ),
    },
    seconds("cpuSeconds", t("reconcile.cpu"), fmt.hours),
    seconds("gpuSeconds", t("reconcile.gpu"), fmt.hours),
    seconds("memMibSeconds", t("reconcile.mem"), fmt.gibHours),
    {
      key: "result",
      header: t("reconcile.result"),
      cell: ({ breaks, isOver }) =>
        breaks > 0n ? (
          <Pill tone="bad">{t("reconcile.breaksValue", { count: Number(breaks) })}</Pill>
        ) : isOver ? (
          <Pill tone="good">{t("reconcile.same")}</Pill>
        ) : (
          <Pill tone="waiting">{t("reconcile.notOver")}</Pill>
        ),
    },
  ];
}
