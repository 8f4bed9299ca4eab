/** A cluster's totals against the scheduler's own reports, with what lies between the two ways of counting. */
import type { ReconciledCluster } from "../../../usage/reconcile/queries.ts";
import { fromEpochSeconds } from "../../format.ts";
import { DataTable, Notice, Panel, type Column } from "../ui/index.ts";
import type { AdminView } from "./view.ts";

type Compared = Extract<ReconciledCluster["totals"], { kind: "compared" }>;
type TresTotal = Compared["tres"][number];

const TRES_WORDS = {
  cpu: "reconcile.cpu",
  "gres/gpu": "reconcile.gpu",
  mem: "reconcile.mem",
  billing: "reconcile.billing",
} as const;

export function Totals({ view, cluster }: { readonly view: AdminView; readonly cluster: ReconciledCluster }) {
  const { t, fmt } = view;
  const { cluster: name, totals } = cluster;
  if (totals.kind === "failed") {
    return (
      <Notice kind="warning" t={t}>
        {t("reconcile.totalsFailed", { cluster: name, reason: totals.reason })}
      </Notice>
    );
  }
  if (totals.kind !== "compared") {
    const key = totals.kind === "absent" ? "reconcile.totalsAbsent" : "reconcile.totalsEarly";
    return (
      <Notice kind="info" t={t}>
        {t(key, { cluster: name })}
      </Notice>
    );
  }
  const { untracked } = totals;
  const at = (epochSeconds: number): string => fmt.dateTimeShort(fromEpochSeconds(epochSeconds));
  const title = t("reconcile.totals", { cluster: name });
  return (
    <Panel
      title={title}
      id={`totals-${encodeURIComponent(name)}`}
      body="flush"
      foot={
        <p class="small third">
          {t("reconcile.totalsText", { from: at(totals.from), to: at(totals.to) })}
          {untracked.length === 0 ? null : (
            <> {t("reconcile.untracked", { names: untracked.map((one) => t(TRES_WORDS[one])).join(", ") })}</>
          )}
        </p>
      }
    >
      <DataTable caption={title} rows={totals.tres} columns={columnsOf(view)} />
    </Panel>
  );
}

function columnsOf({ t, fmt }: AdminView): Column<TresTotal>[] {
  const hours = (name: TresTotal["name"], seconds: bigint): string =>
    name === "mem" ? fmt.gibHours(seconds) : fmt.hours(seconds);
  const part = (key: "endedAll" | "endedLater" | "theirs", header: string): Column<TresTotal> => ({
    key,
    header,
    align: "end",
    cell: (one) => hours(one.name, one[key]),
  });
  return [
    { key: "name", header: t("reconcile.resource"), cell: ({ name }) => t(TRES_WORDS[name]) },
    part("endedAll", t("reconcile.endedAll")),
    {
      key: "outside",
      header: t("reconcile.outside"),
      align: "end",
      cell: ({ name, outside }) => hours(name, -outside),
    },
    part("endedLater", t("reconcile.endedLater")),
    {
      key: "within",
      header: t("reconcile.within"),
      align: "end",
      cell: ({ name, low, high }) =>
        low === high ? hours(name, high) : t("reconcile.range", { low: hours(name, low), high: hours(name, high) }),
    },
    part("theirs", t("reconcile.sreport")),
  ];
}
