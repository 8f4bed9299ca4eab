/** What changed about a job after it was billed, what does that cost, and where is it settled? */
import type { Correction, RecordVersion, Settlement } from "../../../billing/corrections.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { When } from "../me/when.tsx";
import { signedMoney } from "../me/words.ts";
import { AnswerPanel, DataTable, FigureGrid, KeyFigure, Notice, Panel } from "../ui/index.ts";
import { CorrectionPill, CorrectionTable } from "./correction-table.tsx";
import { recordFields, type RecordField } from "./record-fields.tsx";

export interface CorrectionPageProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly correction: Correction;
  readonly versions: { readonly before: RecordVersion; readonly after: RecordVersion };
  /** What receipts have settled of the job so far. */
  readonly settlements: readonly Settlement[];
  /** What is left, for this job and person. */
  readonly owedMinor: bigint;
  /** All corrections of the job, this one among them. */
  readonly corrections: readonly Correction[];
}

export function CorrectionPage(props: CorrectionPageProps) {
  const { frame, fmt, correction, versions, settlements, owedMinor, corrections } = props;
  const { t } = frame;
  const { beforeMinor, afterMinor } = correction;
  const receipt = <a href={`/me/receipts/${correction.receiptId}`}>{correction.receiptNumber}</a>;
  return (
    <UserShell
      frame={frame}
      title={t("corrections.title", { id: versions.after.get("job_id") ?? correction.rawJobId })}
      badge={<CorrectionPill t={t} correction={correction} />}
      subtitle={t("corrections.subtitle", {
        number: correction.receiptNumber,
        time: fmt.dateTime(correction.recordedAt),
      })}
    >
      {correction.reason === "receipt_voided" ? (
        <Notice kind="info" t={t} title={t("corrections.voided")}>
          {t("corrections.voidedHint", { amount: signedMoney(fmt, beforeMinor) })}
        </Notice>
      ) : null}
      <AnswerPanel
        answer={<KeyFigure label={t("corrections.difference")} value={signedMoney(fmt, afterMinor - beforeMinor)} />}
      >
        <FigureGrid
          figures={[
            { label: t("corrections.versionBefore"), value: fmt.money(beforeMinor) },
            { label: t("corrections.versionAfter"), value: fmt.money(afterMinor) },
            { label: t("corrections.original"), value: receipt },
            { label: t("corrections.toSettle"), value: signedMoney(fmt, owedMinor) },
          ]}
        />
      </AnswerPanel>
      <Panel id="record" title={t("corrections.record")} body="flush">
        <Versions t={t} fmt={fmt} fields={recordFields(t, fmt, versions)} correction={correction} />
      </Panel>
      <Panel id="settled" title={t("corrections.settledOn")} body="flush">
        <Settlements t={t} fmt={fmt} settlements={settlements} />
      </Panel>
      {corrections.length < 2 ? null : (
        <Panel id="changes" title={t("corrections.allOfJob")} body="flush">
          <CorrectionTable t={t} fmt={fmt} corrections={corrections} />
        </Panel>
      )}
    </UserShell>
  );
}

function Versions({
  t,
  fmt,
  fields,
  correction,
}: {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly fields: readonly RecordField[];
  readonly correction: Correction;
}) {
  return (
    <DataTable<RecordField>
      caption={t("corrections.record")}
      rows={fields}
      columns={[
        { key: "field", header: t("corrections.field"), cell: ({ name }) => name },
        { key: "before", header: t("corrections.versionBefore"), phone: "line", cell: ({ before }) => before },
        {
          key: "after",
          header: t("corrections.versionAfter"),
          phone: "line",
          cell: ({ after, isChanged }) =>
            isChanged ? (
              <mark>
                {after} <span class="mark-word">{t("corrections.changed")}</span>
              </mark>
            ) : (
              after
            ),
        },
      ]}
      foot={
        correction.reason === "receipt_voided"
          ? []
          : [
              {
                cells: {
                  field: t("corrections.total"),
                  before: fmt.money(correction.beforeMinor),
                  after: fmt.money(correction.afterMinor),
                },
              },
            ]
      }
    />
  );
}

function Settlements({
  t,
  fmt,
  settlements,
}: Pick<CorrectionPageProps, "fmt" | "settlements"> & { readonly t: Translator }) {
  if (settlements.length === 0) return <p class="second panel-text">{t("corrections.settledNowhere")}</p>;
  return (
    <DataTable<Settlement>
      caption={t("corrections.settledOn")}
      rows={settlements}
      columns={[
        {
          key: "receipt",
          header: t("receipts.number"),
          nowrap: true,
          cell: ({ kind, id, number }) => (
            <a href={`/me/${kind === "receipt" ? "receipts" : "credit-notes"}/${id}`}>{number}</a>
          ),
        },
        {
          key: "issued",
          header: t("receipts.issued"),
          nowrap: true,
          cell: ({ issuedAt }) => <When at={issuedAt} fmt={fmt} look="long" />,
        },
        {
          key: "amount",
          header: t("corrections.amount"),
          align: "end",
          cell: ({ amountMinor }) => signedMoney(fmt, amountMinor),
        },
      ]}
    />
  );
}
