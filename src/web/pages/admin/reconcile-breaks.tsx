/** What does not balance, each with the way to it. */
import type { FoundBreak, ReconcileRun } from "../../../usage/reconcile/queries.ts";
import { DataTable, LinkButton, Panel, TwoLines, type Column } from "../ui/index.ts";
import { usageHref } from "./usage-address.ts";
import type { AdminView } from "./view.ts";

const KIND_WORDS = {
  missing: "reconcile.kind.missing",
  extra: "reconcile.kind.extra",
  different: "reconcile.kind.different",
  unread: "reconcile.kind.unread",
  sreport: "reconcile.kind.sreport",
  rollup: "reconcile.kind.rollup",
  charge: "reconcile.kind.charge",
  settlement: "reconcile.kind.settlement",
  receipt: "reconcile.kind.receipt",
  payment: "reconcile.kind.payment",
} as const;

export function Breaks({
  view,
  run: { id, breaks: total },
  breaks,
}: {
  readonly view: AdminView;
  readonly run: Pick<ReconcileRun, "id" | "breaks">;
  readonly breaks: readonly FoundBreak[];
}) {
  const { t } = view;
  const shown = breaks.length;
  return (
    <Panel
      title={t("reconcile.breaks")}
      id="breaks"
      body="flush"
      actions={
        <LinkButton href={`/admin/reconcile.csv?run=${id}`} icon="download" size="small" download>
          {t("reconcile.csv")}
        </LinkButton>
      }
      foot={
        BigInt(shown) === total ? undefined : (
          <p class="small third">{t("reconcile.breaksShown", { shown, total: Number(total) })}</p>
        )
      }
    >
      <DataTable caption={t("reconcile.breaks")} rows={breaks} columns={columnsOf(view)} />
    </Panel>
  );
}

function columnsOf(view: AdminView): Column<FoundBreak>[] {
  const { t, fmt } = view;
  return [
    {
      key: "what",
      header: t("reconcile.what"),
      cell: ({ kind, what }) => <TwoLines main={t(KIND_WORDS[kind])} note={what === "job" ? "" : what} />,
    },
    { key: "where", header: t("reconcile.where"), cell: (found) => <Where view={view} found={found} />, phone: "line" },
    {
      key: "day",
      header: t("reconcile.day"),
      cell: ({ day }) => (day === null ? "" : fmt.date(day)),
      nowrap: true,
      phone: "bare",
    },
    { key: "ours", header: t("reconcile.ours"), cell: ({ ours }) => valueText(view, ours), phone: "line" },
    {
      key: "theirs",
      header: t("reconcile.theirs"),
      cell: ({ theirs }) => valueText(view, theirs),
      phone: "line",
    },
  ];
}

function valueText({ t, fmt }: AdminView, value: string): string {
  if (value === "") return t("reconcile.nothing");
  return /^-?\d+$/u.test(value) ? fmt.integer(BigInt(value)) : value;
}

/** The job, the receipt, or whose usage it is; smaller: the cluster and the person. */
function Where({ view: { t }, found }: { readonly view: AdminView; readonly found: FoundBreak }) {
  const { receiptId, receiptNumber, cluster, userName, account } = found;
  const note = [cluster, account, userName].filter((part) => part !== null && part !== "").join(" · ");
  if (receiptId !== null)
    return <TwoLines main={<a href={`/admin/receipts/${receiptId}`}>{receiptNumber}</a>} note={note} />;
  const jobId = found.jobId ?? found.rawJobId;
  if (jobId === null) return <>{note}</>;
  const words = t("reconcile.job", { id: jobId });
  const href = jobHref(found, jobId);
  return <TwoLines main={href === null ? words : <a href={href}>{words}</a>} note={note} />;
}

/** Where the usage section shows the job; nowhere for one that we do not have. */
function jobHref({ kind, day, cluster }: FoundBreak, jobId: string): string | null {
  if (kind === "missing" || day === null) return null;
  return usageHref({ group: "jobs", start: day, before: day, cluster: cluster ?? "", q: jobId });
}
