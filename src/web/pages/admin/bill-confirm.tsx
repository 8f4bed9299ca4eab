/** Asks before people are billed, and says whom, for what and how much. */
import type { OpenCorrections } from "../../../billing/corrections.ts";
import type { TaxRule } from "../../../rating/tax.ts";
import type { UnbilledTotals } from "../../../usage/queries/unbilled.ts";
import { AdminShell } from "../layout.tsx";
import { signedMoney, taxText } from "../me/words.ts";
import { ConfirmBody, EmptyState, LinkButton, Notice, Panel } from "../ui/index.ts";
import { Facts } from "./parts.tsx";
import { sectionHref, type AdminView } from "./view.ts";

interface Common {
  readonly view: AdminView;
  readonly unbilled: UnbilledTotals;
  /** What these receipts settle of earlier ones besides. */
  readonly corrections: OpenCorrections;
  readonly tax: TaxRule | null;
  /** Last day of what is billed. */
  readonly lastDay: string;
}

export interface BillMonthPageProps extends Common {
  /** `YYYY-MM` */
  readonly month: string;
  readonly user: string | undefined;
  /** Receipts that the last go created before its time was up. */
  readonly createdSoFar: number;
}

export function BillMonthPage(props: BillMonthPageProps) {
  const { view, unbilled, corrections, month, user, lastDay, createdSoFar } = props;
  const { t, fmt, frame, today } = view;
  const name = fmt.monthYear(`${month}-01`);
  const counts = { jobs: Number(unbilled.jobs), people: unbilled.users };
  const title =
    user === undefined ? t("billing.monthTitle", { month: name }) : t("billing.monthTitleUser", { month: name, user });
  return (
    <AdminShell frame={frame} title={title}>
      {createdSoFar === 0 ? null : (
        <Notice kind="info" t={t} title={t("billing.partly", { count: createdSoFar, left: unbilled.users })}>
          {t("billing.partlyText")}
        </Notice>
      )}
      {isNothing(props) ? (
        <Nothing view={view} title={t("billing.nothing", { day: fmt.dateLong(lastDay) })} />
      ) : (
        <ConfirmBody
          t={t}
          csrfToken={frame.csrfToken}
          action="/admin/invoices/create_month"
          submit={
            unbilled.minor === 0n
              ? t("corrections.submit", { people: corrections.peopleToPay })
              : t("billing.monthSubmit", { ...counts, amount: fmt.money(unbilled.minor) })
          }
          cancelHref={sectionHref("billing")}
          fields={{ month, ...(user !== undefined && { user }) }}
        >
          <p>{t("billing.monthText", { ...counts, day: fmt.dateLong(lastDay) })}</p>
          <Amount {...props} />
          {lastDay > today ? <p>{t("billing.monthNotOver", { month: name })}</p> : null}
          <p class="small second">{t("billing.kept")}</p>
          <p class="small second">{t("billing.resumable")}</p>
        </ConfirmBody>
      )}
    </AdminShell>
  );
}

/** Neither a job with a price nor a correction that somebody has to pay: nobody gets a receipt. */
function isNothing({ unbilled, corrections }: Common): boolean {
  return unbilled.minor === 0n && corrections.peopleToPay === 0;
}

function Amount({ view: { t, fmt }, unbilled, corrections, tax }: Common) {
  const amount = fmt.money(unbilled.minor);
  return (
    <Facts
      rows={[
        [
          t("billing.monthAmount"),
          <strong>
            {tax === null || tax.inclusive
              ? amount
              : t("billing.beforeTax", { amount, tax: taxText(fmt, tax.label, tax.rateMicro) })}
          </strong>,
        ],
        ...(corrections.jobs === 0
          ? []
          : [
              [
                t("corrections.about"),
                t("corrections.sum", {
                  amount: signedMoney(fmt, corrections.owedMinor),
                  jobs: corrections.jobs,
                }),
              ] as const,
            ]),
        ...(unbilled.firstDay === null ? [] : [[t("billing.oldest"), fmt.dateLong(unbilled.firstDay)] as const]),
      ]}
    />
  );
}

export interface BillOnePageProps extends Common {
  readonly user: string;
}

export function BillOnePage(props: BillOnePageProps) {
  const { view, unbilled, corrections, user, lastDay } = props;
  const { t, fmt, frame } = view;
  const day = fmt.dateLong(lastDay);
  return (
    <AdminShell frame={frame} title={t("billing.oneTitle", { user, day })}>
      {isNothing(props) ? (
        <Nothing view={view} title={t("billing.oneNothing", { user, day })} />
      ) : (
        <ConfirmBody
          t={t}
          csrfToken={frame.csrfToken}
          action="/admin/invoices/create_one"
          submit={
            unbilled.minor === 0n
              ? t("corrections.submit", { people: corrections.peopleToPay })
              : t("billing.oneSubmit", { user, amount: fmt.money(unbilled.minor) })
          }
          cancelHref={sectionHref("billing")}
          fields={{ user, before: lastDay }}
        >
          <p>{t("billing.oneText", { user, jobs: Number(unbilled.jobs), day })}</p>
          <Amount {...props} />
          <p class="small second">{t("billing.kept")}</p>
        </ConfirmBody>
      )}
    </AdminShell>
  );
}

function Nothing({ view: { t }, title }: { readonly view: AdminView; readonly title: string }) {
  return (
    <Panel>
      <EmptyState title={title} action={<LinkButton href={sectionHref("billing")}>{t("billing.back")}</LinkButton>}>
        {t("billing.nothingText")}
      </EmptyState>
    </Panel>
  );
}
