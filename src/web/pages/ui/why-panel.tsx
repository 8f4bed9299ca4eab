/** Why a job costs what it costs: each line's formula, and the rule of rounding. */
import type { ComponentChildren } from "preact";
import type { Translator } from "../../i18n/index.ts";

/** All texts come formatted; they are the same ones as in the CSV and on the receipt. */
export interface WhyLine {
  /** `CPU`, `GPU a100`. */
  readonly resource: string;
  /** `16 cores × 12,015 s`. */
  readonly counted: string;
  /** `53.4000 core-h`. */
  readonly quantity: string;
  /** `฿1.250000`. */
  readonly rate: string;
  /** `฿66.75`. */
  readonly amount: string;
}

export interface WhyPanelProps {
  readonly t: Translator;
  readonly amount: string;
  /** Tier, day of the rates, basis. */
  readonly terms: ComponentChildren;
  readonly lines: readonly WhyLine[];
  /** In place of lines: why nothing is asked for. */
  readonly free?: string;
}

export function WhyPanel({ t, amount, terms, lines, free }: WhyPanelProps) {
  return (
    <div class="why">
      <div class="why-head">
        <p class="why-title">{t("why.title", { amount })}</p>
        <p class="small third">{terms}</p>
      </div>
      {free === undefined ? <WhyTable t={t} amount={amount} lines={lines} /> : <p>{free}</p>}
    </div>
  );
}

function WhyTable({ t, amount, lines }: Pick<WhyPanelProps, "t" | "amount" | "lines">) {
  return (
    <table role="table">
      <caption class="hidden-visually">{t("why.title", { amount })}</caption>
      <thead role="rowgroup" class="hidden-visually">
        <tr role="row">
          <th role="columnheader" scope="col">
            {t("why.resource")}
          </th>
          <th role="columnheader" scope="col">
            {t("why.counted")}
          </th>
          <th role="columnheader" scope="col">
            {t("why.quantity")}
          </th>
          <th role="columnheader" scope="col">
            {t("why.rate")}
          </th>
          <th role="columnheader" scope="col">
            {t("why.amount")}
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {lines.map((line) => (
          <tr role="row">
            <th role="rowheader" scope="row">
              {line.resource}
            </th>
            <td role="cell">{line.counted}</td>
            <td role="cell" class="num">
              {line.quantity}
            </td>
            <td role="cell" class="num">
              × {line.rate}
            </td>
            <td role="cell" class="num">
              {line.amount}
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot role="rowgroup">
        <tr role="row">
          <th role="rowheader" scope="row" colSpan={4}>
            {t("why.rounding")}
          </th>
          <td role="cell" class="num">
            {amount}
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
