/** One job: what it cost and why, then all that Slurm said of it. */
import type { ComponentChildren } from "preact";
import type { Correction } from "../../../billing/corrections.ts";
import type { StoredJob } from "../../../usage/jobs.ts";
import { fromEpochSeconds, type Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import { CorrectionTable } from "../receipts/correction-table.tsx";
import { AnswerPanel, FigureGrid, JobStatePill, KeyFigure, Panel } from "../ui/index.ts";
import type { JobView } from "./job-model.ts";
import { Billing, Why } from "./job-table.tsx";
import { When } from "./when.tsx";
import { memoryText } from "./words.ts";

export interface JobPageProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly job: StoredJob;
  readonly view: JobView;
  /** Changes since it was billed that concern the reader. */
  readonly corrections: readonly Correction[];
}

export function JobPage({ frame, fmt, job, view, corrections }: JobPageProps) {
  const { t } = frame;
  return (
    <UserShell
      frame={frame}
      title={t("job.title", { id: job.jobId })}
      badge={<JobStatePill state={job.state} t={t} />}
      subtitle={[job.jobName, job.account, job.cluster].filter((part) => part !== "").join(" · ")}
    >
      <AnswerPanel
        answer={
          <KeyFigure
            label={view.isSoFar ? t("job.costSoFar") : t("job.cost")}
            value={fmt.moneyParts(view.amountMinor)}
            note={<Billing t={t} job={view} />}
          />
        }
      >
        <FigureGrid
          figures={[
            { label: t("job.cpus"), value: fmt.integer(job.allocCpus) },
            {
              label: t("job.gpus"),
              value: fmt.integer(job.allocGpus),
              note: job.gpuTypes.map(({ type, count }) => `${fmt.integer(count)} × ${type}`).join(", "),
            },
            { label: t("job.memory"), value: memoryText(fmt, job.allocMemMib) },
            { label: t("job.elapsed"), value: fmt.duration(view.elapsedSeconds) },
          ]}
        />
      </AnswerPanel>
      <section
        class="panel panel-padded"
        aria-label={
          view.isSoFar ? t("job.whySoFar", { amount: view.why.amount }) : t("why.title", { amount: view.why.amount })
        }
      >
        <Why t={t} job={view} />
      </section>
      {corrections.length === 0 ? null : (
        <Panel id="changes" title={t("corrections.allOfJob")} body="flush">
          <CorrectionTable t={t} fmt={fmt} corrections={corrections} />
        </Panel>
      )}
      <Panel title={t("job.facts")} id="facts">
        <div class="facts">
          <Facts heading={t("job.times")} facts={timesOf(t, fmt, job)} />
          <Facts heading={t("job.inSlurm")} facts={slurmFacts(t, fmt, job)} />
        </div>
      </Panel>
    </UserShell>
  );
}

type Fact = readonly [name: string, value: ComponentChildren];

/** What is not known is not listed. */
function Facts({ heading, facts }: { readonly heading: string; readonly facts: readonly Fact[] }) {
  return (
    <div>
      <h3>{heading}</h3>
      <dl>
        {facts
          .filter(([, value]) => value !== null && value !== "")
          .map(([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}

function timesOf(t: Translator, fmt: Formatter, job: StoredJob): Fact[] {
  const time = (epochSeconds: number | null): ComponentChildren =>
    epochSeconds === null ? null : <When at={fromEpochSeconds(epochSeconds)} fmt={fmt} look="long" />;
  const waited = job.startAt === null || job.startAt < job.submitAt ? null : job.startAt - job.submitAt;
  return [
    [t("job.submitted"), time(job.submitAt)],
    [
      t("job.started"),
      job.startAt === null ? (
        t("job.notStarted")
      ) : (
        <>
          {time(job.startAt)}
          {waited === null ? null : (
            <>
              {" "}
              <span class="third">({t("job.waited", { span: fmt.span(waited) })})</span>
            </>
          )}
        </>
      ),
    ],
    [t("job.ended"), time(job.endAt)],
    [t("job.elapsed"), fmt.duration(job.elapsedSeconds)],
    [t("job.usedCpu"), usedCpu(t, fmt, job)],
    [t("job.usedMemory"), usedMemory(fmt, job)],
    [t("job.energy"), job.energyJoules > 0n ? `${fmt.decimal(job.energyJoules, 3_600_000n, 3)} kWh` : null],
  ];
}

function usedCpu(t: Translator, fmt: Formatter, job: StoredJob): ComponentChildren {
  if (job.usedCpuMs === null) return null;
  const share = fmt.percent(job.usedCpuMs, BigInt(job.allocCpus) * BigInt(job.elapsedSeconds) * 1000n);
  return (
    <>
      {fmt.duration(Number(job.usedCpuMs / 1000n))}
      {share === null ? null : (
        <>
          {" "}
          <span class="third">({t("job.usedCpuShare", { share })})</span>
        </>
      )}
    </>
  );
}

function usedMemory(fmt: Formatter, job: StoredJob): string | null {
  if (job.usedMemKibSeconds === null || job.elapsedSeconds === 0) return null;
  return `${fmt.decimal(job.usedMemKibSeconds, BigInt(job.elapsedSeconds) * 1024n * 1024n, 2)} GiB`;
}

function slurmFacts(t: Translator, fmt: Formatter, job: StoredJob): Fact[] {
  return [
    [t("job.cluster"), job.cluster],
    [t("job.rawId"), job.rawJobId === job.jobId ? null : job.rawJobId],
    [t("job.name"), job.jobName],
    [t("job.user"), job.user],
    [t("job.account"), job.account],
    [t("job.partition"), job.partition],
    [t("job.qos"), job.qos],
    [t("job.exitCode"), job.exitCode],
    [
      t("job.nodes"),
      job.nodeList === "" ? fmt.integer(job.allocNodes) : `${fmt.integer(job.allocNodes)}: ${job.nodeList}`,
    ],
    [t("job.tres"), job.allocBilling > 0 ? fmt.integer(job.allocBilling) : null],
    [t("job.comment"), job.comment],
  ];
}
