/** Do the books balance with the scheduler? */
import type { Books } from "../../../billing/balance/books.ts";
import type { FoundBreak, ReconciledCluster, ReconciledDay, ReconcileRun } from "../../../usage/reconcile/queries.ts";
import { AdminShell } from "../layout.tsx";
import { AnswerPanel, Button, CsrfField, DateField, KeyFigure, Notice, Panel, Progress } from "../ui/index.ts";
import { BooksPanels } from "./reconcile-books.tsx";
import { Breaks } from "./reconcile-breaks.tsx";
import { DayTable } from "./reconcile-days.tsx";
import { Totals } from "./reconcile-totals.tsx";
import type { AdminView } from "./view.ts";

/** All that a run has found. */
export interface ReconcileResult {
  readonly run: ReconcileRun;
  readonly days: readonly ReconciledDay[];
  readonly clusters: readonly ReconciledCluster[];
  /** The first of them. */
  readonly breaks: readonly FoundBreak[];
  readonly books: Books | null;
}

export interface ReconcilePageProps {
  readonly view: AdminView;
  /** The last one that came to an end. */
  readonly last: ReconcileResult | undefined;
  readonly running: ReconcileRun | undefined;
  /** What the form holds. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly mostDays: number;
  readonly notice: "started" | "wrongDays" | undefined;
  /** Differs as soon as the page would. */
  readonly pollStatus: string;
}

export function ReconcilePage(props: ReconcilePageProps) {
  const { view, last, running, notice, mostDays } = props;
  const { t, frame } = view;
  return (
    <AdminShell frame={frame} title={t("reconcile.title")} subtitle={t("reconcile.subtitle")}>
      {notice === "started" && running === undefined ? (
        <Notice kind="info" t={t}>
          {t("reconcile.started")}
        </Notice>
      ) : null}
      {notice === "wrongDays" ? (
        <Notice kind="error" t={t} title={t("reconcile.wrongDays")}>
          {t("reconcile.wrongDaysText", { most: mostDays })}
        </Notice>
      ) : null}
      {running === undefined ? null : <Running view={view} run={running} />}
      {last?.run.status === "failed" ? (
        <Notice kind="error" t={t} title={t("reconcile.failedTitle")}>
          {t("reconcile.failedText", { reason: last.run.error ?? "" })}
        </Notice>
      ) : null}
      <Answer {...props} />
      {last === undefined ? null : <Result view={view} result={last} />}
      {running === undefined && notice !== "started" ? null : (
        <div data-poll-url="/admin/reconcile.json" data-poll-status={props.pollStatus} />
      )}
    </AdminShell>
  );
}

function Running({ view: { t, fmt }, run }: { readonly view: AdminView; readonly run: ReconcileRun }) {
  const { daysDone: done, daysTotal: total } = run;
  const label = t("reconcile.running", { from: fmt.date(run.fromDay), to: fmt.date(run.toDay), done, total });
  return (
    <Panel>
      <Progress label={label} done={done} total={total} />
    </Panel>
  );
}

function Answer({ view, last, fromDay, toDay }: ReconcilePageProps) {
  const { t, frame, today } = view;
  return (
    <AnswerPanel answer={<Verdict view={view} run={last?.run} days={last?.days ?? []} />}>
      <form class="row-form" method="post" action="/admin/reconcile">
        <CsrfField token={frame.csrfToken} />
        <DateField
          t={t}
          id="from"
          name="from"
          label={t("reconcile.from")}
          labelLook="beside"
          value={fromDay}
          max={today}
          required
        />
        <DateField
          t={t}
          id="to"
          name="to"
          label={t("reconcile.to")}
          labelLook="beside"
          value={toDay}
          max={today}
          required
        />
        <Button kind="primary" icon="refresh" busyText={t("action.working")}>
          {t("reconcile.start")}
        </Button>
      </form>
    </AnswerPanel>
  );
}

const VERDICTS = {
  balanced: "reconcile.balanced",
  broken: "reconcile.broken",
  failed: "reconcile.failed",
  running: "reconcile.never",
} as const;

function Verdict({
  view: { t, fmt, now },
  run,
  days,
}: {
  readonly view: AdminView;
  readonly run: ReconcileRun | undefined;
  readonly days: readonly ReconciledDay[];
}) {
  if (run === undefined) {
    return <KeyFigure label={t("reconcile.never")} value="–" note={t("reconcile.neverText")} />;
  }
  const ended = run.finishedAt ?? run.startedAt;
  const about = t("reconcile.ofDays", {
    from: fmt.date(run.fromDay),
    to: fmt.date(run.toDay),
    who: run.requestedBy,
    age: fmt.age((now.getTime() - ended.getTime()) / 1000),
  });
  const countDays = new Set(days.map(({ day }) => day)).size;
  return (
    <KeyFigure
      label={t(VERDICTS[run.status])}
      value={
        run.status === "balanced"
          ? t("reconcile.daysValue", { count: countDays })
          : run.status === "broken"
            ? t("reconcile.breaksValue", { count: Number(run.breaks) })
            : "–"
      }
      note={
        <>
          {about}
          {run.reconciledUntil === null ? null : (
            <>
              <br />
              {t("reconcile.until", { day: fmt.dateLong(run.reconciledUntil) })}
            </>
          )}
        </>
      }
    />
  );
}

function Result({ view, result }: { readonly view: AdminView; readonly result: ReconcileResult }) {
  const { run, breaks, days, clusters, books } = result;
  return (
    <>
      {breaks.length === 0 ? null : <Breaks view={view} run={run} breaks={breaks} />}
      {days.length === 0 ? null : <DayTable view={view} days={days} clusters={clusters} />}
      {clusters.map((cluster) => (
        <Totals view={view} cluster={cluster} />
      ))}
      {books === null ? null : <BooksPanels view={view} books={books} />}
    </>
  );
}
