/** Who did what, and is the chain whole? */
import type { AuditFilter, AuditRecord } from "../../../audit/store.ts";
import type { AuditCheck } from "../../../audit/verify.ts";
import type { MessageKey, Translator } from "../../i18n/index.ts";
import { AdminShell } from "../layout.tsx";
import {
  AnswerPanel,
  Button,
  CsrfField,
  DataTable,
  EmptyState,
  FilterForm,
  Input,
  KeyFigure,
  LinkButton,
  Notice,
  Panel,
  Select,
  TwoLines,
  type Column,
} from "../ui/index.ts";
import { Instant, KeyPager } from "./parts.tsx";
import { hrefOf, sectionHref, type AdminView } from "./view.ts";

export interface AuditPageProps {
  readonly view: AdminView;
  readonly filter: AuditFilter;
  readonly records: readonly AuditRecord[];
  readonly actions: readonly string[];
  /** All records there are, whatever the filter. */
  readonly count: bigint;
  readonly lastCheck: AuditCheck | undefined;
  /** True right after the button was pressed. */
  readonly isJustVerified: boolean;
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
}

const ACTIONS: ReadonlyMap<string, Extract<MessageKey, `auditAction.${string}`>> = new Map([
  ["accounts.synced", "auditAction.accountsSynced"],
  ["correction.recorded", "auditAction.correctionRecorded"],
  ["login.locked", "auditAction.loginLocked"],
  ["login.succeeded", "auditAction.loginSucceeded"],
  ["logout", "auditAction.logout"],
  ["payment.canceled", "auditAction.paymentCanceled"],
  ["payment.failed", "auditAction.paymentFailed"],
  ["payment.started", "auditAction.paymentStarted"],
  ["payment.succeeded", "auditAction.paymentSucceeded"],
  ["rate.set", "auditAction.rateSet"],
  ["receipt.issued", "auditAction.receiptIssued"],
  ["receipt.paid", "auditAction.receiptPaid"],
  ["receipt.voided", "auditAction.receiptVoided"],
  ["reconcile.finished", "auditAction.reconcileFinished"],
  ["rules.set", "auditAction.rulesSet"],
  ["site.time_zone_set", "auditAction.siteTimeZoneSet"],
  ["tier.override_removed", "auditAction.tierOverrideRemoved"],
  ["tier.override_set", "auditAction.tierOverrideSet"],
  ["tier_rule.removed", "auditAction.tierRuleRemoved"],
  ["tier_rule.set", "auditAction.tierRuleSet"],
  ["usage.imported", "auditAction.usageImported"],
  ["usage.repriced", "auditAction.usageRepriced"],
  ["user.created", "auditAction.userCreated"],
  ["user.password_set", "auditAction.userPasswordSet"],
]);

/** An action that is newer than its words shows as it is named. */
export function actionName(action: string, t: Translator): string {
  const key = ACTIONS.get(action);
  return key === undefined ? action : t(key);
}

export function AuditPage(props: AuditPageProps) {
  const { view, filter, records, actions, count } = props;
  const { t, frame } = view;
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const shown = records.length;
  return (
    <AdminShell frame={frame} title={t("audit.title")} subtitle={t("audit.subtitle")}>
      <ChainState {...props} />
      <Panel
        id="records"
        title={t("audit.listTitle")}
        body="flush"
        actions={
          <LinkButton href={hrefOf("/admin/audit.csv", { ...filter })} icon="download" size="small" download>
            {t("audit.csv")}
          </LinkButton>
        }
      >
        <div class="panel-filter">
          <FilterForm t={t} action="/admin" keep={{ section: "audit" }}>
            <Select
              id="action"
              name="action"
              label={t("audit.what")}
              labelLook="hidden"
              value={filter.action ?? ""}
              options={[
                { value: "", label: t("audit.anyAction") },
                ...actions.map((action) => ({ value: action, label: actionName(action, t) })),
              ]}
            />
            <Input
              id="actor"
              name="actor"
              type="search"
              width="search"
              label={t("audit.filterActor")}
              labelLook="hidden"
              placeholder={t("audit.filterActor")}
              value={filter.actor}
            />
            <Input
              id="subject"
              name="subject"
              type="search"
              width="search"
              label={t("audit.filterSubject")}
              labelLook="hidden"
              placeholder={t("audit.filterSubject")}
              value={filter.subject}
            />
          </FilterForm>
        </div>
        {shown === 0 ? (
          <EmptyState
            title={t("audit.none")}
            action={<LinkButton href={sectionHref("audit")}>{t("audit.clear")}</LinkButton>}
          >
            {t("audit.noneText")}
          </EmptyState>
        ) : (
          <DataTable caption={t("audit.listTitle")} rows={records} columns={columnsOf(view)} />
        )}
      </Panel>
      <KeyPager
        t={t}
        text={isFiltered ? t("audit.showing", { shown }) : t("audit.showingAll", { shown, total: Number(count) })}
        backHref={props.backHref}
        onHref={props.onHref}
      />
    </AdminShell>
  );
}

function columnsOf(view: AdminView): Column<AuditRecord>[] {
  const { t, fmt } = view;
  return [
    {
      key: "id",
      header: t("audit.record"),
      cell: ({ id }) => <a href={`/admin/audit/${id}`}>{fmt.integer(id)}</a>,
      nowrap: true,
    },
    {
      key: "at",
      header: t("audit.when"),
      cell: ({ at }) => <Instant view={view} at={at} />,
      nowrap: true,
      phone: "bare",
    },
    {
      key: "actor",
      header: t("audit.who"),
      cell: ({ actor }) => <a href={sectionHref("audit", { actor })}>{actor}</a>,
      phone: "bare",
    },
    {
      key: "action",
      header: t("audit.what"),
      cell: ({ action }) => <TwoLines main={actionName(action, t)} note={<code>{action}</code>} />,
      phone: "keep",
    },
    {
      key: "subject",
      header: t("audit.subject"),
      cell: ({ subject }) => <a href={sectionHref("audit", { subject })}>{subject}</a>,
      phone: "bare",
    },
  ];
}

function ChainState({ view, count, lastCheck, isJustVerified }: AuditPageProps) {
  const { t, fmt, frame } = view;
  const age = lastCheck === undefined ? "" : fmt.age((view.now.getTime() - lastCheck.checked_at.getTime()) / 1000);
  const since = lastCheck === undefined ? 0n : count - lastCheck.records;
  return (
    <>
      {lastCheck?.ok === false ? (
        <Notice kind="error" t={t} title={t("audit.brokenTitle", { id: fmt.integer(lastCheck.broken_at ?? 0n) })}>
          {t("audit.brokenText", { age, reason: lastCheck.reason ?? "" })}
        </Notice>
      ) : isJustVerified && lastCheck !== undefined ? (
        <Notice kind="good" t={t}>
          {t("audit.verified", { count: Number(lastCheck.records) })}
        </Notice>
      ) : null}
      <AnswerPanel
        answer={
          <>
            <KeyFigure
              label={lastCheck?.ok === true ? t("audit.records") : t("audit.recordsUnchecked")}
              value={fmt.integer(lastCheck?.ok === true ? lastCheck.records : count)}
            />
            <form method="post" action="/admin/audit/verify" class="actions">
              <CsrfField token={frame.csrfToken} />
              <Button kind="primary" icon="shield" busyText={t("action.working")}>
                {t("audit.verify")}
              </Button>
            </form>
          </>
        }
      >
        <div class="prose second">
          {lastCheck === undefined ? <p>{t("audit.neverChecked")}</p> : null}
          {lastCheck?.ok === true ? <p>{t("audit.wholeAt", { age })}</p> : null}
          {lastCheck?.ok === true && since > 0n ? <p>{t("audit.newSince", { count: Number(since) })}</p> : null}
        </div>
      </AnswerPanel>
    </>
  );
}
