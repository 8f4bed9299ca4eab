/** The three equations of our own books, with their numbers. */
import type { Books } from "../../../billing/balance/books.ts";
import type { Translator } from "../../i18n/index.ts";
import { Columns, DataTable, Panel, type Column } from "../ui/index.ts";
import type { AdminView } from "./view.ts";

interface BooksProps {
  readonly view: AdminView;
  readonly books: Books;
}

export function BooksPanels(props: BooksProps) {
  return (
    <>
      <Usage {...props} />
      <Columns layout="wide" main={<Charges {...props} />} aside={<Receipts {...props} />} />
    </>
  );
}

type UsageSum = Books["usage"][number];

function Usage({ view: { t, fmt }, books: { usage, repricingJobs } }: BooksProps) {
  const sum = (part: "jobs" | "cpuSeconds" | "gpuSeconds" | "memMibSeconds" | "minor"): bigint =>
    usage.reduce((total, one) => total + one[part], 0n);
  const columns: Column<UsageSum>[] = [
    { key: "kind", header: t("reconcile.kind"), cell: (one) => kindText(t, one) },
    { key: "jobs", header: t("reconcile.jobs"), align: "end", cell: ({ jobs }) => fmt.integer(jobs) },
    { key: "cpu", header: t("reconcile.cpu"), align: "end", cell: ({ cpuSeconds }) => fmt.hours(cpuSeconds) },
    { key: "gpu", header: t("reconcile.gpu"), align: "end", cell: ({ gpuSeconds }) => fmt.hours(gpuSeconds) },
    { key: "mem", header: t("reconcile.mem"), align: "end", cell: ({ memMibSeconds }) => fmt.gibHours(memMibSeconds) },
    { key: "amount", header: t("reconcile.amount"), align: "end", cell: ({ minor }) => fmt.money(minor) },
  ];
  return (
    <Panel
      title={t("reconcile.books")}
      id="usage"
      body="flush"
      foot={
        <p class="small third">
          {t("reconcile.booksText")}
          {repricingJobs === 0 ? null : <> {t("reconcile.repricing", { count: repricingJobs })}</>}
        </p>
      }
    >
      <DataTable
        caption={t("reconcile.books")}
        rows={usage}
        columns={columns}
        foot={[
          {
            cells: {
              kind: t("reconcile.allJobs"),
              jobs: fmt.integer(sum("jobs")),
              cpu: fmt.hours(sum("cpuSeconds")),
              gpu: fmt.hours(sum("gpuSeconds")),
              mem: fmt.gibHours(sum("memMibSeconds")),
              amount: fmt.money(sum("minor")),
            },
          },
        ]}
      />
    </Panel>
  );
}

function kindText(t: Translator, { kind, reason }: UsageSum): string {
  if (kind === "priced") return t("reconcile.priced");
  if (kind === "free") return reason === null ? t("reconcile.freeNoReason") : t("reconcile.free", { reason });
  return kind === "nothing" ? t("reconcile.notUsed") : t("reconcile.heldJobs");
}

function Charges({ view, books: { charges } }: BooksProps) {
  const { t } = view;
  return (
    <Equation
      view={view}
      id="charges"
      title={t("reconcile.charges")}
      parts={[
        [t("reconcile.billed"), charges.billedMinor],
        [t("reconcile.settled"), charges.settledMinor],
        [t("reconcile.owed"), charges.owedMinor],
        [t("reconcile.unbilled"), charges.unbilledMinor],
      ]}
      total={[t("reconcile.allCharges"), charges.totalMinor]}
    />
  );
}

function Receipts({ view, books: { receipts } }: BooksProps) {
  const { t } = view;
  return (
    <Equation
      view={view}
      id="receipts"
      title={t("reconcile.receipts")}
      parts={[
        [t("reconcile.payments"), receipts.paymentsMinor],
        [t("reconcile.byHand"), receipts.byHandMinor],
        [t("reconcile.credited"), receipts.creditedMinor],
        [t("reconcile.receivable"), receipts.receivableMinor],
        [t("reconcile.toPayBack"), -receipts.toPayBackMinor],
        [t("reconcile.void"), receipts.voidMinor],
      ]}
      total={[t("reconcile.allReceipts", { count: Number(receipts.count) }), receipts.totalMinor]}
    />
  );
}

type Part = readonly [words: string, minor: bigint];

function Equation({
  view: { t, fmt },
  id,
  title,
  parts,
  total: [totalWords, totalMinor],
}: {
  readonly view: AdminView;
  readonly id: string;
  readonly title: string;
  readonly parts: readonly Part[];
  readonly total: Part;
}) {
  const columns: Column<Part>[] = [
    { key: "part", header: t("reconcile.part"), cell: ([words]) => words },
    { key: "amount", header: t("reconcile.amount"), align: "end", cell: ([, minor]) => fmt.money(minor) },
  ];
  return (
    <Panel title={title} id={id} body="flush">
      <DataTable
        caption={title}
        rows={parts}
        columns={columns}
        foot={[{ cells: { part: totalWords, amount: fmt.money(totalMinor) } }]}
      />
    </Panel>
  );
}
