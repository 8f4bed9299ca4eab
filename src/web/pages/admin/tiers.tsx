/** Who pays which price, and why? */
import { TIER_SUBJECTS, TIERS, type TierRule } from "../../../rating/tiers.ts";
import type { TierUser } from "../../../usage/prices/tier-users.ts";
import type { Translator } from "../../i18n/index.ts";
import { AdminShell } from "../layout.tsx";
import {
  Button,
  ConfirmBody,
  CsrfField,
  DataTable,
  EmptyState,
  FilterForm,
  HiddenFields,
  Input,
  LinkButton,
  Notice,
  Panel,
  Pill,
  Select,
  TwoLines,
  type Column,
} from "../ui/index.ts";
import { KeyPager } from "./parts.tsx";
import { sectionHref, tierName, type AdminView } from "./view.ts";

export interface TiersPageProps {
  readonly view: AdminView;
  readonly search: string;
  readonly overriddenOnly: boolean;
  readonly users: readonly TierUser[];
  readonly rules: readonly TierRule[];
  /** The position a new rule gets unless told otherwise. */
  readonly nextPosition: number;
  readonly backHref: string | undefined;
  readonly onHref: string | undefined;
  /** Where a row's form comes back to. */
  readonly keep: Readonly<Record<string, string>>;
  readonly notice:
    { readonly kind: "rule" | "ruleRemoved" } | { readonly kind: "user"; readonly user: TierUser } | undefined;
}

export function TiersPage(props: TiersPageProps) {
  const { view, users, search, overriddenOnly } = props;
  const { t, frame } = view;
  return (
    <AdminShell frame={frame} title={t("tiers.title")} subtitle={t("tiers.subtitle")}>
      <Done {...props} />
      <Panel id="users" title={t("tiers.users")} body="flush">
        <div class="panel-filter">
          <FilterForm t={t} action="/admin" keep={{ section: "tiers" }}>
            <Input
              id="q"
              name="q"
              type="search"
              width="search"
              label={t("tiers.search")}
              labelLook="hidden"
              placeholder={t("tiers.search")}
              value={search}
            />
            <Select
              id="only"
              name="only"
              label={t("tiers.which")}
              labelLook="hidden"
              value={overriddenOnly ? "override" : ""}
              options={[
                { value: "", label: t("tiers.everybody") },
                { value: "override", label: t("tiers.overridden") },
              ]}
            />
          </FilterForm>
        </div>
        {users.length === 0 ? (
          <EmptyState
            title={t("tiers.none")}
            action={<LinkButton href={sectionHref("tiers")}>{t("tiers.all")}</LinkButton>}
          >
            {t("tiers.noneText")}
          </EmptyState>
        ) : (
          <DataTable caption={t("tiers.users")} rows={users} columns={userColumns(props)} />
        )}
      </Panel>
      <KeyPager
        t={t}
        text={t("tiers.showing", { shown: users.length })}
        backHref={props.backHref}
        onHref={props.onHref}
      />
      <Rules {...props} />
    </AdminShell>
  );
}

function Done({ view: { t }, notice }: TiersPageProps) {
  if (notice === undefined) return null;
  const words = (): string => {
    if (notice.kind !== "user") return t(notice.kind === "rule" ? "tiers.doneRule" : "tiers.doneRuleRemoved");
    const values = { user: notice.user.username, tier: tierName(notice.user.tier, t) };
    return notice.user.override === null ? t("tiers.doneNatural", values) : t("tiers.doneOverride", values);
  };
  return (
    <Notice kind="good" t={t} title={words()}>
      {t("tiers.doneText")}
    </Notice>
  );
}

function userColumns({ view, keep }: TiersPageProps): Column<TierUser>[] {
  const { t, frame } = view;
  return [
    {
      key: "user",
      header: t("tiers.user"),
      cell: ({ username, defaultAccount }) => (
        <TwoLines
          main={<a href={sectionHref("usage", { user: username })}>{username}</a>}
          note={defaultAccount === "" ? t("tiers.noAccount") : defaultAccount}
        />
      ),
    },
    {
      key: "tier",
      header: t("tiers.tier"),
      cell: ({ tier, override }) => <Pill tone={override === null ? "neutral" : "waiting"}>{tierName(tier, t)}</Pill>,
      phone: "bare",
    },
    {
      key: "why",
      header: t("tiers.why"),
      cell: (user) =>
        user.override === null ? (
          ruleText(user, t)
        ) : (
          <TwoLines main={t("tiers.byOverride", { tier: tierName(user.natural.tier, t) })} note={ruleText(user, t)} />
        ),
      phone: "bare",
    },
    {
      key: "set",
      header: "",
      label: t("tiers.set"),
      align: "end",
      cell: ({ username, natural, tier }) => (
        <form method="post" action="/admin/tiers" class="row-form row-form-end">
          <CsrfField token={frame.csrfToken} />
          <HiddenFields values={{ username, ...keep }} />
          <Select
            id={`tier-${encodeURIComponent(username)}`}
            name="tier"
            label={t("tiers.tierOf", { user: username })}
            labelLook="hidden"
            value={tier}
            options={TIERS.map((one) => ({
              value: one,
              label: one === natural.tier ? t("tiers.natural", { tier: tierName(one, t) }) : tierName(one, t),
            }))}
          />
          <Button size="small" busyText={t("action.working")}>
            {t("tiers.set")}
          </Button>
        </form>
      ),
    },
  ];
}

function ruleText({ natural: { rule, matched }, defaultAccount }: TierUser, t: Translator): string {
  if (rule === null || matched === null) return t("tiers.byNoRule");
  const { pattern } = rule;
  if (rule.subject === "username") return t("tiers.byUserRule", { pattern });
  if (defaultAccount === "") return t("tiers.byNoAccount", { pattern });
  return matched === defaultAccount
    ? t("tiers.byAccountRule", { account: defaultAccount, pattern })
    : t("tiers.byTreeRule", { account: defaultAccount, above: matched, pattern });
}

const PATTERN_WORDS = {
  account: "tiers.patternAccount",
  account_tree: "tiers.patternTree",
  username: "tiers.patternUser",
} as const;

const SUBJECT_WORDS = {
  account: "tiers.subjectAccount",
  account_tree: "tiers.subjectTree",
  username: "tiers.subjectUser",
} as const;

/** `account gov-*` */
function patternText({ subject, pattern }: TierRule, t: Translator): string {
  return t(PATTERN_WORDS[subject], { pattern });
}

function Rules({ view, rules, nextPosition }: TiersPageProps) {
  const { t, fmt, frame } = view;
  return (
    <Panel
      id="rules"
      title={t("tiers.rules")}
      body="flush"
      foot={
        <form method="post" action="/admin/tiers/rules" class="stack-form">
          <CsrfField token={frame.csrfToken} />
          <h3>{t("tiers.addRule")}</h3>
          <div class="fields">
            <Select
              id="rule-subject"
              name="subject"
              label={t("tiers.subject")}
              value="account"
              hint={t("tiers.subjectHint")}
              options={TIER_SUBJECTS.map((subject) => ({ value: subject, label: t(SUBJECT_WORDS[subject]) }))}
            />
            <Input
              id="rule-pattern"
              name="pattern"
              label={t("tiers.patternField")}
              hint={t("tiers.patternHint")}
              maxLength={200}
              spellcheck={false}
              required
            />
            <Select
              id="rule-tier"
              name="tier"
              label={t("tiers.tier")}
              value="mu"
              options={TIERS.map((tier) => ({ value: tier, label: tierName(tier, t) }))}
            />
            <Input
              id="rule-position"
              name="position"
              label={t("tiers.position")}
              hint={t("tiers.positionHint")}
              value={String(nextPosition)}
              inputMode="numeric"
              pattern="\d{1,6}"
              width="short"
              numeric
              required
            />
          </div>
          <div class="actions">
            <Button busyText={t("action.working")}>{t("tiers.addRuleButton")}</Button>
          </div>
        </form>
      }
    >
      <p class="second panel-text">{t("tiers.rulesText")}</p>
      <DataTable<TierRule>
        caption={t("tiers.rules")}
        rows={rules}
        columns={[
          { key: "pattern", header: t("tiers.pattern"), cell: (rule) => patternText(rule, t) },
          { key: "tier", header: t("tiers.tier"), cell: ({ tier }) => tierName(tier, t), phone: "line" },
          {
            key: "position",
            header: t("tiers.position"),
            align: "end",
            cell: ({ position }) => fmt.integer(position),
            phone: "line",
          },
          {
            key: "remove",
            header: "",
            label: t("tiers.remove"),
            align: "end",
            cell: (rule) => (
              <a href={`/admin/tiers/rules/${rule.id}/remove`}>
                {t("tiers.remove")}
                <span class="hidden-visually"> {patternText(rule, t)}</span>
              </a>
            ),
          },
        ]}
      />
    </Panel>
  );
}

export function RemoveRulePage({ view, rule }: { readonly view: AdminView; readonly rule: TierRule }) {
  const { t, frame } = view;
  return (
    <AdminShell frame={frame} title={t("tiers.removeTitle", { what: patternText(rule, t) })}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action={`/admin/tiers/rules/${rule.id}/remove`}
        submit={t("tiers.removeConfirm")}
        kind="danger"
        cancelHref={sectionHref("tiers")}
      >
        <p>{t("tiers.removeText")}</p>
      </ConfirmBody>
    </AdminShell>
  );
}
