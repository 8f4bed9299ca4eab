/** Jobs as rows, each with why it costs what it costs below it. */
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { DataTable, Icon, JobStatePill, TwoLines, WhyPanel, type Column } from "../ui/index.ts";
import type { JobView } from "./job-model.ts";
import { When } from "./when.tsx";

export interface JobTableProps {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly caption: string;
  readonly jobs: readonly JobView[];
  /** `yes` where jobs of several people stand together. */
  readonly withUser?: "yes";
}

export function JobTable({ t, fmt, caption, jobs, withUser }: JobTableProps) {
  const columns: Column<JobView>[] = [
    {
      key: "job",
      header: t("job.id"),
      cell: (job) => (
        <TwoLines
          main={
            <a href={job.href} class="plain-link">
              {job.jobId}
            </a>
          }
          note={noteOf(job, withUser)}
        />
      ),
    },
    {
      key: "ended",
      header: t("job.ended"),
      nowrap: true,
      phone: "bare",
      cell: (job) => <Ended t={t} fmt={fmt} job={job} />,
    },
    { key: "state", header: t("job.state"), phone: "bare", cell: (job) => <JobStatePill state={job.state} t={t} /> },
    { key: "allocated", header: t("job.allocated"), align: "end", cell: (job) => job.allocated },
    { key: "elapsed", header: t("job.elapsed"), align: "end", cell: (job) => fmt.duration(job.elapsedSeconds) },
    {
      key: "amount",
      header: t("me.amount"),
      align: "end",
      nowrap: true,
      phone: "keep",
      cell: (job) => <Amount t={t} fmt={fmt} job={job} />,
    },
    {
      key: "billing",
      header: "",
      label: t("job.billed"),
      align: "end",
      phone: "bare",
      cell: (job) => <Billing t={t} job={job} />,
    },
  ];
  return (
    <div class="jobs">
      <DataTable<JobView>
        caption={caption}
        rows={jobs}
        columns={columns}
        rowId={(job) => job.rowId}
        detail={(job) => <WhyDetails t={t} job={job} />}
      />
    </div>
  );
}

function noteOf(job: JobView, withUser: "yes" | undefined): string {
  return [...(withUser === undefined ? [] : [job.userName]), job.name, job.account]
    .filter((part) => part !== "")
    .join(" · ");
}

function Ended({ t, fmt, job }: { readonly t: Translator; readonly fmt: Formatter; readonly job: JobView }) {
  if (job.endedAt !== null) return <When at={job.endedAt} fmt={fmt} />;
  const text =
    job.runningSeconds === null ? t("job.notStarted") : t("me.runningFor", { span: fmt.span(job.runningSeconds) });
  return <span class="second">{text}</span>;
}

function Amount({ t, fmt, job }: { readonly t: Translator; readonly fmt: Formatter; readonly job: JobView }) {
  const amount = fmt.money(job.amountMinor);
  return job.isSoFar ? <span class="second">{t("job.soFar", { amount })}</span> : <>{amount}</>;
}

/** Where the job stands with billing, in words. */
export function Billing({ t, job }: { readonly t: Translator; readonly job: Pick<JobView, "billing"> }) {
  const { billing } = job;
  if (billing.kind === "receipt") return <a href={billing.href}>{billing.number}</a>;
  const text =
    billing.kind === "open"
      ? t("job.notBilled")
      : billing.kind === "running"
        ? t("job.billedWhenItEnds")
        : billing.text;
  return <span class="second">{text}</span>;
}

/** Closed it is one line in its row; opened, the whole calculation. */
function WhyDetails({ t, job }: { readonly t: Translator; readonly job: JobView }) {
  const { why } = job;
  return (
    <details class="why-details">
      <summary>
        {job.isSoFar ? t("job.whySoFar", { amount: why.amount }) : t("why.title", { amount: why.amount })}
        <span class="hidden-visually"> ({t("job.title", { id: job.jobId })})</span>
        <Icon name="chevron" size={14} />
      </summary>
      <Why t={t} job={job} />
      <p class="small why-more">
        <a href={job.href}>{t("job.allFacts")}</a>
      </p>
    </details>
  );
}

/** The calculation, and what else there is to say about the price. */
export function Why({ t, job }: { readonly t: Translator; readonly job: Pick<JobView, "why"> }) {
  const { why } = job;
  return (
    <>
      <WhyPanel
        t={t}
        amount={why.amount}
        terms={why.terms}
        lines={why.lines}
        {...(why.free !== null && { free: why.free })}
      />
      {why.notes.map((note) => (
        <p class="small second why-note">{note}</p>
      ))}
    </>
  );
}
