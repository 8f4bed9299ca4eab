/** Asks before prices change, and shows what they would have done to the usage there was. */
import type { NewRate, NewRules } from "../../../usage/prices/change.ts";
import type { StoredRate } from "../../../usage/prices/book.ts";
import type { PreviewLine, RatePreview } from "../../../usage/prices/preview.ts";
import { AdminShell } from "../layout.tsx";
import { ConfirmBody, DataTable, Panel } from "../ui/index.ts";
import { Facts } from "./parts.tsx";
import { RulesFacts, scopeText, windowText } from "./rate-words.tsx";
import { sectionHref, tierName, type AdminView } from "./view.ts";

export interface RateConfirmPageProps {
  readonly view: AdminView;
  readonly rate: NewRate;
  /** What its scope costs now. */
  readonly before: StoredRate | undefined;
  readonly preview: RatePreview;
  readonly window: { readonly fromDay: string; readonly toDay: string };
  readonly unbilledMinor: bigint;
  /** The form as it came, to be sent again. */
  readonly fields: Readonly<Record<string, string>>;
}

export function RateConfirmPage(props: RateConfirmPageProps) {
  const { view, rate, fields } = props;
  const { t, fmt, frame } = view;
  const tier = tierName(rate.tier, t);
  const scope = scopeText(
    { cluster: rate.cluster ?? null, partition: rate.partition ?? null, qos: rate.qos ?? null },
    t,
  );
  const from = rate.effectiveFrom === null ? null : Math.floor(rate.effectiveFrom.getTime() / 1000);
  return (
    <AdminShell frame={frame} title={t("rates.confirmTitle", { tier })}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action="/admin"
        fields={fields}
        submit={t("rates.confirm", { tier })}
        cancelHref={sectionHref("rates", { tier: rate.tier })}
      >
        <Facts
          rows={[
            [t("rates.where"), scope],
            [t("rates.since"), windowText(from, view)],
            ...(rate.note === "" ? [] : [[t("rates.field.note"), rate.note] as const]),
          ]}
        />
        <PriceTable {...props} />
        <p class="small second">{t("rates.unbilledNow", { amount: fmt.money(props.unbilledMinor) })}</p>
      </ConfirmBody>
      <Effect {...props} />
    </AdminShell>
  );
}

function PriceTable({ view: { t, fmt }, rate, before }: RateConfirmPageProps) {
  const types = rate.gpuTypeMicro ?? before?.gpuTypeMicro ?? new Map<string, bigint>();
  const known = before?.gpuTypeMicro ?? new Map<string, bigint>();
  const rows: (readonly [name: string, before: bigint | undefined, after: bigint | undefined])[] = [
    [t("rates.cpu"), before?.cpuMicro, rate.cpuMicro],
    [t("rates.gpu"), before?.gpuMicro, rate.gpuMicro],
    ...[...new Set([...known.keys(), ...types.keys()])].map(
      (type) => [t("rates.gpuType", { type }), known.get(type), types.get(type)] as const,
    ),
    [t("rates.mem"), before?.memMicro, rate.memMicro],
  ];
  const text = (micro: bigint | undefined): string => (micro === undefined ? "–" : fmt.rate(micro));
  return (
    <DataTable
      caption={t("rates.price")}
      rows={rows}
      columns={[
        { key: "name", header: t("rates.price"), cell: ([name]) => name },
        {
          key: "before",
          header: t("rates.old"),
          align: "end",
          cell: ([, old]) => <span class="second">{text(old)}</span>,
        },
        {
          key: "after",
          header: t("rates.new"),
          align: "end",
          cell: ([, old, next]) =>
            old === next ? <span class="second">{t("rates.same")}</span> : <strong>{text(next)}</strong>,
        },
      ]}
    />
  );
}

function Effect({ view: { t, fmt }, preview, window }: RateConfirmPageProps) {
  const usage = ({ resource, base }: PreviewLine): string => {
    if (resource === "cpu") return t("rates.coreHours", { hours: fmt.hours(base) });
    return resource === "gpu"
      ? t("rates.gpuHours", { hours: fmt.hours(base) })
      : t("rates.gibHours", { hours: fmt.gibHours(base) });
  };
  const names = { cpu: t("rates.field.cpu"), gpu: t("rates.field.gpu"), mem: t("rates.field.mem") };
  const change = (before: bigint, after: bigint): string => `${after > before ? "+" : ""}${fmt.money(after - before)}`;
  return (
    <Panel
      id="effect"
      title={t("rates.effect")}
      body="flush"
      foot={
        <p class="small second">
          {t("rates.effectNote", {
            count: Number(preview.jobs),
            from: fmt.date(window.fromDay),
            to: fmt.date(window.toDay),
          })}
        </p>
      }
    >
      <DataTable<PreviewLine>
        caption={t("rates.effect")}
        rows={preview.lines}
        columns={[
          { key: "resource", header: t("why.resource"), cell: ({ resource }) => names[resource] },
          { key: "usage", header: t("rates.usage"), align: "end", cell: usage },
          { key: "before", header: t("rates.old"), align: "end", cell: ({ beforeMinor }) => fmt.money(beforeMinor) },
          { key: "after", header: t("rates.new"), align: "end", cell: ({ afterMinor }) => fmt.money(afterMinor) },
          {
            key: "change",
            header: t("rates.difference"),
            align: "end",
            cell: ({ beforeMinor, afterMinor }) => change(beforeMinor, afterMinor),
          },
        ]}
        foot={[
          {
            cells: {
              resource: t("rates.total"),
              before: fmt.money(preview.beforeMinor),
              after: fmt.money(preview.afterMinor),
              change: change(preview.beforeMinor, preview.afterMinor),
            },
          },
        ]}
      />
    </Panel>
  );
}

export interface RulesConfirmPageProps {
  readonly view: AdminView;
  readonly rules: NewRules;
  readonly unbilledMinor: bigint;
  readonly fields: Readonly<Record<string, string>>;
}

export function RulesConfirmPage({ view, rules, unbilledMinor, fields }: RulesConfirmPageProps) {
  const { t, fmt, frame } = view;
  const from = rules.effectiveFrom === null ? null : Math.floor(rules.effectiveFrom.getTime() / 1000);
  return (
    <AdminShell frame={frame} title={t("rates.rulesConfirmTitle")}>
      <ConfirmBody
        t={t}
        csrfToken={frame.csrfToken}
        action="/admin/rules"
        fields={fields}
        submit={t("rates.rulesConfirm")}
        cancelHref={sectionHref("rates")}
      >
        <p>{t("rates.rulesConfirmLine", { window: windowText(from, view) })}</p>
        <RulesFacts view={view} rules={rules} />
        <p class="small second">{t("rates.unbilledNow", { amount: fmt.money(unbilledMinor) })}</p>
      </ConfirmBody>
    </AdminShell>
  );
}
