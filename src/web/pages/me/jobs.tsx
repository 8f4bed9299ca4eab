/** What did each job cost, and why? */
import { EmptyState, FilterForm, Input, jobStateText, LinkButton, Pagination, Panel, Select } from "../ui/index.ts";
import { address, asFields, type Params } from "./address.ts";
import { EmptyWindow } from "./empty.tsx";
import { JobTable } from "./job-table.tsx";
import type { JobView } from "./job-model.ts";
import { MeShell, type MeCommon } from "./shell.tsx";

/** What narrows the list, as the address says it. */
export interface JobsFilter {
  readonly q: string;
  /** A state's name, `failed`, or nothing. */
  readonly state: string;
  readonly account: string;
  /** `yes`, `no`, or nothing. */
  readonly billed: string;
}

export interface JobsProps {
  readonly common: MeCommon;
  readonly filter: JobsFilter;
  /** Accounts to choose from. */
  readonly accounts: readonly string[];
  /** Jobs that have not ended, on the first page. */
  readonly running: readonly JobView[];
  /** There are more of them than are shown. */
  readonly isRunningCut: boolean;
  readonly jobs: readonly JobView[];
  /** Of the whole window (and account), as in the files. */
  readonly totals: { readonly jobs: bigint; readonly costMinor: bigint };
  /** How many match the filter, where sums tell; else only the page knows. */
  readonly matching: bigint | null;
  /** Cursors of the pages beside this one. */
  readonly newer: string | null;
  readonly older: string | null;
  readonly lastDay: string | null;
}

/** States worth choosing, the frequent ones first. */
const STATES = [
  "COMPLETED",
  "FAILED",
  "TIMEOUT",
  "OUT_OF_MEMORY",
  "CANCELLED",
  "NODE_FAIL",
  "PREEMPTED",
  "DEADLINE",
  "BOOT_FAIL",
  "REQUEUED",
  "RUNNING",
];

export function JobsPage(props: JobsProps) {
  const { common, filter, running, jobs, totals, matching, lastDay } = props;
  const { t } = common.frame;
  const { fmt } = common;
  const about = t("me.jobsAndCost", { jobs: Number(totals.jobs), cost: fmt.money(totals.costMinor) });
  const isEmpty = running.length + jobs.length === 0;
  const isFiltered = Object.values(filter).some((value) => value !== "");
  return (
    <MeShell common={common} view="detail" about={about} keep={paramsOf(filter)}>
      {isEmpty && !isFiltered ? (
        <EmptyWindow common={common} view="detail" lastDay={lastDay} />
      ) : (
        <>
          <Toolbar {...props} />
          {isEmpty ? <NoMatch common={common} /> : null}
          {isEmpty ? null : (
            <Panel body="flush">
              <JobTable t={t} fmt={fmt} caption={t("me.jobs")} jobs={[...running, ...jobs]} />
            </Panel>
          )}
          {props.isRunningCut ? <p class="small third">{t("me.runningCut", { count: running.length })}</p> : null}
          {jobs.length === 0 ? null : <Pager {...props} matching={matching} />}
        </>
      )}
    </MeShell>
  );
}

function paramsOf({ q, state, account, billed }: JobsFilter): Params {
  return { q, state, account, billed };
}

function Toolbar({ common, filter, accounts }: JobsProps) {
  const { frame, window } = common;
  const { t } = frame;
  const states =
    STATES.includes(filter.state) || filter.state === "" || filter.state === "failed"
      ? STATES
      : [...STATES, filter.state];
  const accountChoices =
    accounts.includes(filter.account) || filter.account === "" ? accounts : [...accounts, filter.account];
  const days = { start: window.fromDay, before: window.toDay };
  return (
    <div class="toolbar">
      <FilterForm
        t={t}
        action="/me"
        keep={asFields({
          view: "detail",
          ...window.params,
          ...(accountChoices.length > 1 ? {} : { account: filter.account }),
        })}
      >
        <Input
          id="q"
          name="q"
          type="search"
          width="search"
          label={t("me.filter.search")}
          labelLook="hidden"
          placeholder={t("me.filter.searchHint")}
          value={filter.q}
          maxLength={100}
        />
        <Select
          id="state"
          name="state"
          label={t("me.filter.state")}
          labelLook="hidden"
          value={filter.state}
          options={[
            { value: "", label: t("me.filter.stateAny") },
            { value: "failed", label: t("me.filter.failed") },
            ...states.map((state) => ({ value: state, label: jobStateText(state, t) })),
          ]}
        />
        {accountChoices.length > 1 ? (
          <Select
            id="account"
            name="account"
            label={t("me.account")}
            labelLook="hidden"
            value={filter.account}
            options={[
              { value: "", label: t("me.allAccounts") },
              ...accountChoices.map((account) => ({ value: account, label: account })),
            ]}
          />
        ) : null}
        <Select
          id="billed"
          name="billed"
          label={t("me.filter.billing")}
          labelLook="hidden"
          value={filter.billed}
          options={[
            { value: "", label: t("me.filter.billingAny") },
            { value: "no", label: t("me.filter.open") },
            { value: "yes", label: t("me.filter.billed") },
          ]}
        />
      </FilterForm>
      <LinkButton href={address("/me.csv", { ...days, ...paramsOf(filter) })} icon="download" download>
        {t("me.download")}
      </LinkButton>
    </div>
  );
}

function NoMatch({ common: { frame, window } }: { readonly common: MeCommon }) {
  const { t } = frame;
  return (
    <Panel>
      <EmptyState
        title={t("me.emptyMatch")}
        action={
          <LinkButton href={address("/me", { view: "detail", ...window.params })}>
            {t("me.emptyMatchAction")}
          </LinkButton>
        }
      >
        {t("me.emptyMatchHint")}
      </EmptyState>
    </Panel>
  );
}

function Pager({ common, filter, jobs, matching, newer, older }: JobsProps) {
  const { t } = common.frame;
  const to = (params: Params): string =>
    address("/me", { view: "detail", ...common.window.params, ...paramsOf(filter), ...params });
  const newerHref = newer === null ? undefined : to({ newer });
  const olderHref = older === null ? undefined : to({ older });
  if (matching !== null)
    return (
      <Pagination t={t} shown={jobs.length} total={Number(matching)} newerHref={newerHref} olderHref={olderHref} />
    );
  return (
    <div class="pager">
      <p class="small third">{t("me.newestFirst", { count: jobs.length })}</p>
      <nav aria-label={t("pager.label")} class="pager-links">
        {newerHref === undefined ? null : (
          <LinkButton href={newerHref} rel="prev">
            {t("pager.newer")}
          </LinkButton>
        )}
        {olderHref === undefined ? null : (
          <LinkButton href={olderHref} rel="next">
            {t("pager.older")}
          </LinkButton>
        )}
      </nav>
    </div>
  );
}
