/** What do we charge, from when? */
import type { ScopedRates, VersionState } from "../../../rating/current-rates.ts";
import type { StoredRate, StoredRuleSet } from "../../../usage/prices/book.ts";
import { AdminShell } from "../layout.tsx";
import { Columns, DataTable, Disclosure, Notice, Panel, TwoLines, type Column } from "../ui/index.ts";
import { Instant } from "./parts.tsx";
import type { RateErrors, RateFields, RulesErrors, RulesFields } from "./rate-fields.ts";
import { RateForm, RulesForm } from "./rate-forms.tsx";
import { RulesFacts, scopeText, VersionPill, windowText } from "./rate-words.tsx";
import { sectionHref, tierName, type AdminView } from "./view.ts";

export interface RatesPageProps {
  readonly view: AdminView;
  readonly scopes: readonly ScopedRates<StoredRate>[];
  /** Newest first. */
  readonly versions: readonly (readonly [StoredRate, VersionState])[];
  /** How many there are where only the newest are shown. */
  readonly versionCount: number;
  readonly rules: StoredRuleSet | undefined;
  readonly ruleVersions: readonly (readonly [StoredRuleSet, VersionState])[];
  readonly form: { readonly fields: RateFields; readonly errors: RateErrors };
  readonly rulesForm: { readonly fields: RulesFields; readonly errors: RulesErrors };
  readonly notice?: "rate" | "rules" | undefined;
}

export function RatesPage(props: RatesPageProps) {
  const { view, scopes, rules, form, rulesForm } = props;
  const { t, frame } = view;
  const isWrong = [form.errors, rulesForm.errors].some((errors) => Object.keys(errors).length > 0);
  const hasWrongRules = Object.keys(rulesForm.errors).length > 0;
  return (
    <AdminShell frame={frame} title={t("rates.title")} subtitle={t("rates.subtitle")}>
      {props.notice === undefined ? null : (
        <Notice kind="good" t={t} title={props.notice === "rate" ? t("rates.done") : t("rates.rulesDone")}>
          {t("rates.doneText")}
        </Notice>
      )}
      {isWrong ? (
        <Notice kind="error" t={t} title={t("rates.wrong.title")}>
          {t("rates.wrong.text")}
        </Notice>
      ) : null}
      <Panel id="current" title={t("rates.current")} body="flush">
        <DataTable
          caption={t("rates.current")}
          rows={scopes.flatMap(({ current }) => (current === undefined ? [] : [current]))}
          columns={currentColumns(view)}
        />
      </Panel>
      <Columns
        layout="wide"
        main={
          <Panel id="new" title={t("rates.newTitle", { tier: tierName(form.fields.tier, t) })}>
            <p class="second lead">{t("rates.newText")}</p>
            <RateForm view={view} fields={form.fields} errors={form.errors} />
          </Panel>
        }
        aside={
          <Panel id="rules" title={t("rates.rules")}>
            {rules === undefined ? null : <RulesFacts view={view} rules={rules} />}
            {hasWrongRules ? (
              <RulesForm view={view} fields={rulesForm.fields} errors={rulesForm.errors} />
            ) : (
              <Disclosure summary={t("rates.newRules")}>
                <RulesForm view={view} fields={rulesForm.fields} errors={rulesForm.errors} />
              </Disclosure>
            )}
          </Panel>
        }
      />
      <Versions {...props} />
    </AdminShell>
  );
}

/** The prices of a version: one column each, GPU types below the GPU's own. */
function priceColumns({ t, fmt }: AdminView): Column<StoredRate>[] {
  return [
    { key: "cpu", header: t("rates.cpu"), align: "end", cell: ({ cpuMicro }) => fmt.rate(cpuMicro) },
    {
      key: "gpu",
      header: t("rates.gpu"),
      align: "end",
      cell: ({ gpuMicro, gpuTypeMicro }) => (
        <>
          {fmt.rate(gpuMicro)}
          {[...gpuTypeMicro].map(([type, micro]) => (
            <span class="line-note nowrap">
              {type} {fmt.rate(micro)}
            </span>
          ))}
        </>
      ),
    },
    { key: "mem", header: t("rates.mem"), align: "end", cell: ({ memMicro }) => fmt.rate(memMicro) },
  ];
}

function currentColumns(view: AdminView): Column<StoredRate>[] {
  const { t } = view;
  return [
    {
      key: "who",
      header: t("rates.who"),
      cell: (rate) => <TwoLines main={tierName(rate.tier, t)} note={scopeText(rate, t)} />,
    },
    ...priceColumns(view),
    { key: "since", header: t("rates.since"), cell: ({ effectiveFrom }) => windowText(effectiveFrom, view) },
    {
      key: "change",
      header: "",
      label: t("rates.change"),
      align: "end",
      cell: (rate) => (
        <a href={`${sectionHref("rates", { tier: rate.tier, rate: rate.id })}#new`}>
          {t("rates.change")}
          <span class="hidden-visually">
            {" "}
            {tierName(rate.tier, t)}, {scopeText(rate, t)}
          </span>
        </a>
      ),
    },
  ];
}

function Versions({ view, versions, versionCount, ruleVersions }: RatesPageProps) {
  const { t } = view;
  return (
    <>
      <Panel
        id="versions"
        title={t("rates.history")}
        body="flush"
        foot={
          versionCount > versions.length ? (
            <a href={sectionHref("rates", { versions: "all" })}>{t("rates.allVersions", { count: versionCount })}</a>
          ) : undefined
        }
      >
        <DataTable
          caption={t("rates.history")}
          rows={versions}
          columns={[
            {
              key: "set",
              header: t("rates.set"),
              nowrap: true,
              cell: ([rate]) => <TwoLines main={<Instant view={view} at={rate.createdAt} />} note={rate.createdBy} />,
            },
            {
              key: "who",
              header: t("rates.who"),
              cell: ([rate]) => <TwoLines main={tierName(rate.tier, t)} note={scopeText(rate, t)} />,
              phone: "bare",
            },
            ...priceColumns(view).map((column) => ({
              ...column,
              cell: ([rate]: readonly [StoredRate, VersionState]) => column.cell(rate),
            })),
            {
              key: "since",
              header: t("rates.since"),
              cell: ([rate]) => <TwoLines main={windowText(rate.effectiveFrom, view)} note={rate.note} />,
            },
            { key: "state", header: t("rates.state"), cell: ([, state]) => <VersionPill state={state} t={t} /> },
          ]}
        />
      </Panel>
      <Panel id="rule-versions" title={t("rates.rulesHistory")} body="flush">
        <DataTable
          caption={t("rates.rulesHistory")}
          rows={ruleVersions}
          columns={[
            {
              key: "set",
              header: t("rates.set"),
              cell: ([rules]) => (
                <TwoLines main={<Instant view={view} at={rules.createdAt} />} note={rules.createdBy} />
              ),
            },
            {
              key: "rules",
              header: t("rates.rules"),
              cell: ([rules]) => <RulesFacts view={view} rules={rules} />,
              phone: "bare",
            },
            {
              key: "since",
              header: t("rates.since"),
              cell: ([rules]) => <TwoLines main={windowText(rules.effectiveFrom, view)} note={rules.note} />,
            },
            { key: "state", header: t("rates.state"), cell: ([, state]) => <VersionPill state={state} t={t} /> },
          ]}
        />
      </Panel>
    </>
  );
}
