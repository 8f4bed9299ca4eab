/** What would a job cost me? */
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { UserShell, type SignedInFrame } from "../layout.tsx";
import {
  AnswerPanel,
  Button,
  CopyButton,
  DataTable,
  FigureGrid,
  Input,
  KeyFigure,
  Notice,
  Panel,
  Pill,
  Select,
  WhyPanel,
  type Column,
} from "../ui/index.ts";
import { tierLongText, tierText } from "../me/words.ts";
import type { CalcAnswer, CalcField, CalcProblems, CalcTexts, TierCost } from "./model.ts";
import { sbatchLines } from "./sbatch.ts";

export interface CalculatorProps {
  readonly frame: SignedInFrame;
  readonly fmt: Formatter;
  readonly texts: CalcTexts;
  readonly problems: CalcProblems;
  /** To choose from; where there is nothing to choose the field is absent. */
  readonly choices: {
    readonly gpuTypes: readonly string[];
    readonly clusters: readonly string[];
    readonly partitions: readonly string[];
  };
  /** Null while some number is wrong. */
  readonly answer: CalcAnswer | null;
  /** The whole address of this very calculation. */
  readonly link: string;
}

export function CalculatorPage(props: CalculatorProps) {
  const { frame } = props;
  const { t } = frame;
  return (
    <UserShell frame={frame} title={t("calc.title")} subtitle={t("calc.about")}>
      <div class="calculator">
        <Panel title={t("calc.what")} id="what">
          <Fields {...props} />
        </Panel>
        {/* Read out when it changes; the script swaps what is in it. */}
        <div class="stack" data-live-result aria-live="polite">
          <Answer {...props} />
        </div>
      </div>
    </UserShell>
  );
}

function Fields({ frame, texts, problems, choices }: CalculatorProps) {
  const { t } = frame;
  const number = (name: CalcField) =>
    ({
      id: name.replace("_", "-"),
      name,
      value: texts[name],
      numeric: true,
      width: "short",
      autocomplete: "off",
      maxLength: 20,
      error: problem(t, problems, name),
    }) as const;
  const choice = (name: CalcField, any: string, values: readonly string[]) =>
    ({
      id: name.replace("_", "-"),
      name,
      value: texts[name],
      error: problem(t, problems, name),
      options: [{ value: "", label: any }, ...values.map((value) => ({ value, label: value }))],
    }) as const;
  return (
    <form method="get" action="/playground" class="calc-form" data-live-form>
      <Input {...number("cores")} label={t("calc.cores")} inputMode="numeric" />
      <Input {...number("memory")} label={t("calc.memory")} inputMode="decimal" />
      <Input {...number("gpus")} label={t("calc.gpus")} inputMode="numeric" />
      {choices.gpuTypes.length === 0 ? null : (
        <Select {...choice("gpu_type", t("calc.any"), choices.gpuTypes)} label={t("calc.gpuType")} />
      )}
      <Input {...number("hours")} label={t("calc.hours")} inputMode="text" hint={t("calc.hoursHint")} />
      <Input {...number("jobs")} label={t("calc.jobs")} inputMode="numeric" />
      {choices.partitions.length === 0 ? null : (
        <Select {...choice("partition", t("calc.any"), choices.partitions)} label={t("calc.partition")} />
      )}
      {choices.clusters.length < 2 ? null : (
        <Select {...choice("cluster", t("calc.any"), choices.clusters)} label={t("calc.cluster")} />
      )}
      <div class="actions no-script-only">
        <Button kind="primary">{t("calc.calculate")}</Button>
      </div>
    </form>
  );
}

function problem(t: Translator, problems: CalcProblems, name: CalcField): string | undefined {
  const key = problems[name];
  return key === undefined ? undefined : t(key);
}

function Answer({ frame, fmt, answer, link }: CalculatorProps) {
  const { t } = frame;
  if (answer === null) {
    return (
      <Notice kind="warning" t={t} title={t("calc.problem")}>
        {t("calc.problemHint")}
      </Notice>
    );
  }
  const { own, asked, tiers, taxed } = answer;
  const jobs = BigInt(asked.jobs);
  const lines = sbatchLines(asked);
  return (
    <>
      <AnswerPanel
        answer={
          <KeyFigure
            label={t("calc.forTier", { tier: tierText(t, own.tier) })}
            value={fmt.moneyParts(own.allMinor)}
            note={
              <>
                {own.why.free ?? t("calc.each", { count: asked.jobs, amount: fmt.money(own.oneMinor) })}
                {taxed === null || own.allMinor === 0n ? null : (
                  <>
                    <br />
                    {t("calc.taxed", { tax: taxed.tax, amount: fmt.money(taxed.totalMinor) })}
                  </>
                )}
              </>
            }
          />
        }
      >
        <FigureGrid
          figures={[
            { label: t("resource.cpu"), value: fmt.money(own.cpuMinor * jobs) },
            { label: t("resource.gpu"), value: fmt.money(own.gpuMinor * jobs) },
            { label: t("resource.memory"), value: fmt.money(own.memMinor * jobs) },
          ]}
        />
      </AnswerPanel>
      <section class="panel panel-padded" aria-label={t("why.title", { amount: own.why.amount })}>
        <WhyPanel
          t={t}
          amount={own.why.amount}
          terms={own.why.terms}
          lines={own.why.lines}
          {...(own.why.free !== null && { free: own.why.free })}
        />
        {own.why.notes.map((note) => (
          <p class="small second why-note">{note}</p>
        ))}
      </section>
      <Panel title={t("calc.tiers")} id="tiers" body="flush">
        <DataTable<TierCost> caption={t("calc.tiers")} rows={tiers} columns={tierColumns(t, fmt, asked.jobs)} />
      </Panel>
      <Panel title={t("calc.sbatch")} id="sbatch" actions={<CopyButton t={t} text={lines} />}>
        <pre tabIndex={0} aria-labelledby="sbatch">
          {lines}
        </pre>
      </Panel>
      <Panel title={t("calc.copyLink")} id="link" actions={<CopyButton t={t} text={link} />}>
        <a class="calc-link" href={link}>
          {link}
        </a>
      </Panel>
    </>
  );
}

function tierColumns(t: Translator, fmt: Formatter, jobs: number): Column<TierCost>[] {
  return [
    {
      key: "tier",
      header: t("calc.tier"),
      cell: ({ tier, isOwn }) => (
        <>
          {tierLongText(t, tier)} {isOwn ? <Pill tone="good">{t("calc.yourTier")}</Pill> : null}
        </>
      ),
    },
    { key: "cpu", header: t("resource.cpu"), align: "end", nowrap: true, cell: ({ cpuMinor }) => fmt.money(cpuMinor) },
    { key: "gpu", header: t("resource.gpu"), align: "end", nowrap: true, cell: ({ gpuMinor }) => fmt.money(gpuMinor) },
    {
      key: "memory",
      header: t("resource.memory"),
      align: "end",
      nowrap: true,
      cell: ({ memMinor }) => fmt.money(memMinor),
    },
    {
      key: "one",
      header: t("calc.one"),
      align: "end",
      nowrap: true,
      cell: ({ oneMinor }) => fmt.money(oneMinor),
      phone: jobs === 1 ? "keep" : "line",
    },
    ...(jobs === 1
      ? []
      : [
          {
            key: "all",
            header: t("job.count", { count: jobs }),
            align: "end",
            nowrap: true,
            cell: ({ allMinor }: TierCost) => fmt.money(allMinor),
          } satisfies Column<TierCost>,
        ]),
  ];
}
