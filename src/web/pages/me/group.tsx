/** What did the group use, who and on which account? For who coordinates accounts: sums, never single jobs. */
import type { UsageSums } from "../../../usage/queries/summary.ts";
import { AnswerPanel, EmptyState, FigureGrid, KeyFigure, LinkButton, Panel, StackedColumns } from "../ui/index.ts";
import { address } from "./address.ts";
import { monthEnd } from "./empty.tsx";
import { groupHref, type GroupProps } from "./group-model.ts";
import { GroupAccounts, GroupMembers } from "./group-tables.tsx";
import { MeShell } from "./shell.tsx";

export function GroupPage(props: GroupProps) {
  const { common, account, member, now, days } = props;
  const { frame, fmt } = common;
  const { t } = frame;
  return (
    <MeShell
      common={common}
      view="group"
      about={t("group.about", { accounts: props.accountsInScope })}
      keep={{ account, member }}
    >
      <Narrowed {...props} />
      <AnswerPanel answer={<Answer {...props} />}>
        <Figures {...props} />
      </AnswerPanel>
      {now.jobs === 0n ? (
        <Empty {...props} />
      ) : (
        <>
          {days === null ? null : <StackedColumns t={t} fmt={fmt} id="cost" title={t("me.costPerDay")} days={days} />}
          {member === "" ? <GroupMembers {...props} /> : null}
          <GroupAccounts {...props} />
        </>
      )}
    </MeShell>
  );
}

/** What the page is narrowed to, each with a way out of it. */
function Narrowed({ common, account, member }: GroupProps) {
  const { t } = common.frame;
  const chosen = [
    { text: account, rest: { member } },
    { text: member, rest: { account } },
  ].filter(({ text }) => text !== "");
  if (chosen.length === 0) return null;
  return (
    <p class="chosen small">
      <span class="second">{t("usage.filters")}</span>
      {chosen.map(({ text, rest }) => (
        <a href={groupHref(common, rest)} class="chip" aria-label={t("usage.without", { what: text })}>
          {text} <span aria-hidden="true">×</span>
        </a>
      ))}
    </p>
  );
}

function Answer({ common, account, member, now, before, daysBefore, people }: GroupProps) {
  const { frame, fmt } = common;
  const { t } = frame;
  const label =
    member !== ""
      ? t("group.costMember", { member })
      : account !== ""
        ? t("group.costAccount", { account })
        : t("group.cost");
  const jobs = Number(now.jobs);
  return (
    <KeyFigure
      label={label}
      value={fmt.moneyParts(now.costMinor)}
      note={
        <>
          {member === "" ? t("group.jobsOf", { jobs, people }) : t("job.count", { count: jobs })}
          <br />
          {fmt.percentChange(now.costMinor, before.costMinor) ?? t("me.noneBefore")}{" "}
          {t("me.samePeriodBefore", { range: fmt.dateRange(daysBefore.fromDay, daysBefore.toDay) })}
        </>
      }
    />
  );
}

function Figures({ common, now, before }: GroupProps) {
  const { frame, fmt } = common;
  const { t } = frame;
  const change = (of: (sums: UsageSums) => bigint): string =>
    fmt.percentChange(of(now), of(before)) ?? t("me.noneBefore");
  return (
    <div>
      <FigureGrid
        figures={[
          {
            label: t("me.notBilled"),
            value: fmt.money(now.unbilledMinor),
            note: t("job.count", { count: Number(now.unbilledJobs) }),
          },
          { label: t("me.cpuHours"), value: fmt.hours(now.cpuSeconds), note: change((sums) => sums.cpuSeconds) },
          { label: t("me.gpuHours"), value: fmt.hours(now.gpuSeconds), note: change((sums) => sums.gpuSeconds) },
          { label: t("me.jobs"), value: fmt.integer(now.jobs), note: change((sums) => sums.jobs) },
        ]}
      />
      <p class="small third figures-note">{t("group.sumsOnly")}</p>
    </div>
  );
}

/** Says when the last job ran, and leads there. */
function Empty({ common, account, member, lastDay }: GroupProps) {
  const { frame, fmt } = common;
  const { t } = frame;
  if (lastDay === null) {
    return (
      <Panel>
        <EmptyState title={t("group.emptyFirst")}>{t("group.emptyFirstHint")}</EmptyState>
      </Panel>
    );
  }
  const days = { start: `${lastDay.slice(0, 7)}-01`, before: monthEnd(lastDay) };
  return (
    <Panel>
      <EmptyState
        title={t("me.empty")}
        action={
          <LinkButton href={address("/me", { view: "group", ...days, account, member })}>
            {t("me.emptyAction", { month: fmt.monthYear(lastDay) })}
          </LinkButton>
        }
      >
        {t("group.emptyLast", { day: fmt.dateLong(lastDay) })}
      </EmptyState>
    </Panel>
  );
}
