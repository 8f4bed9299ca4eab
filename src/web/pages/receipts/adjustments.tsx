/** The part of a receipt that corrects earlier ones: which jobs, what was billed, what is correct, and the amount. */
import type { Adjustment } from "../../../billing/corrections.ts";
import type { Receipt } from "../../../billing/queries.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { DataTable, LinkButton, TwoLines, type FootRow } from "../ui/index.ts";

export interface ReceiptAdjustments {
  readonly items: readonly Adjustment[];
  readonly nextHref: string | null;
}

export interface AdjustmentsProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly adjustments: ReceiptAdjustments;
  /** Where receipts are shown to this reader. */
  readonly receiptsPath: "/me/receipts" | "/admin/receipts";
}

/** Its sum stands with the receipt's other sums, in `adjustmentsRow`. */
export function Adjustments({ t, fmt, adjustments, receiptsPath }: AdjustmentsProps) {
  const { items, nextHref } = adjustments;
  if (items.length === 0) return null;
  return (
    <section id="corrections" class="receipt-corrections" aria-labelledby="corrections-title">
      <h2 id="corrections-title">{t("corrections.about")}</h2>
      <DataTable<Adjustment>
        caption={t("corrections.about")}
        rows={items}
        columns={[
          {
            key: "job",
            header: t("corrections.job"),
            cell: (item) => <TwoLines main={item.jobId} note={<JobNote t={t} item={item} />} />,
          },
          {
            key: "original",
            header: t("corrections.original"),
            nowrap: true,
            cell: (item) => <a href={`${receiptsPath}/${item.originalReceiptId}`}>{item.originalNumber}</a>,
          },
          {
            key: "billed",
            header: t("corrections.billed"),
            align: "end",
            nowrap: true,
            cell: (item) => fmt.money(item.billedMinor),
          },
          {
            key: "correct",
            header: t("corrections.correct"),
            align: "end",
            nowrap: true,
            cell: (item) => fmt.money(item.correctMinor),
          },
          {
            key: "amount",
            header: t("corrections.amount"),
            align: "end",
            nowrap: true,
            cell: (item) => <Amount t={t} fmt={fmt} item={item} />,
          },
        ]}
      />
      {nextHref === null ? null : (
        <div class="actions">
          <LinkButton size="small" href={nextHref} rel="next">
            {t("corrections.next")}
          </LinkButton>
        </div>
      )}
    </section>
  );
}

/** The foot rows of a receipt's sums for what its corrections come to: one, or none where it has none. */
export function adjustmentsRow(
  { t, fmt, adjustments }: Pick<AdjustmentsProps, "t" | "fmt" | "adjustments">,
  { adjustmentsMinor }: Receipt,
): FootRow[] {
  if (adjustments.items.length === 0) return [];
  const name = <a href="#corrections">{t("corrections.about")}</a>;
  return [{ look: "plain", cells: { resource: name, amount: fmt.money(adjustmentsMinor) } }];
}

function JobNote({ t, item }: { readonly t: Translator; readonly item: Adjustment }) {
  const names = [item.jobName, item.account].filter((part) => part !== "").join(" · ");
  return (
    <>
      {names}
      <span class="no-print">
        {names === "" ? null : " · "}
        <a href={`/me/corrections/${item.correctionId}`}>
          {t("corrections.versions")}
          <span class="hidden-visually"> ({t("job.title", { id: item.jobId })})</span>
        </a>
      </span>
    </>
  );
}

function Amount({ t, fmt, item }: { readonly t: Translator; readonly fmt: Formatter; readonly item: Adjustment }) {
  const amount = fmt.money(item.amountMinor);
  const isPart = item.amountMinor !== item.correctMinor - item.billedMinor;
  return isPart ? <TwoLines main={amount} note={t("corrections.part")} /> : <>{amount}</>;
}
