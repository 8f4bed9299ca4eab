/** The forms for new versions of a rate and of the charging rules. */
import type { ComponentChildren } from "preact";
import { TIERS } from "../../../rating/tiers.ts";
import { Button, DateField, Disclosure, Input, Segmented, Select } from "../ui/index.ts";
import { TextArea } from "./parts.tsx";
import type { RateErrors, RateFields, RulesErrors, RulesFields } from "./rate-fields.ts";
import { sectionHref, tierName, type AdminView } from "./view.ts";

export interface RateFormProps {
  readonly view: AdminView;
  readonly fields: RateFields;
  readonly errors: RateErrors;
}

/** Leads to the page that shows what the new prices would do; nothing is set here. */
export function RateForm({ view, fields, errors }: RateFormProps) {
  const { t, fmt } = view;
  const { currency } = fmt;
  const wrong = (field: keyof RateErrors): { error?: string } => {
    const key = errors[field];
    return key === undefined ? {} : { error: t(key) };
  };
  const isNarrow = [fields.cluster, fields.partition, fields.qos].some((part) => part !== "");
  return (
    <form method="get" action="/admin/rates/preview" class="stack-form">
      <div class="field">
        <p class="field-label">{t("rates.for")}</p>
        <Segmented
          label={t("rates.for")}
          items={TIERS.map((tier) => ({
            label: tierName(tier, t),
            href: `${sectionHref("rates", { tier })}#new`,
            current: tier === fields.tier,
          }))}
        />
        <input type="hidden" name="type" value={fields.tier} />
      </div>
      <div class="fields fields-three">
        <Input
          id="cpu"
          name="cpu"
          label={t("rates.field.cpu")}
          hint={t("rates.unit.core", { currency })}
          value={fields.cpu}
          inputMode="decimal"
          numeric
          required
          {...wrong("cpu")}
        />
        <Input
          id="gpu"
          name="gpu"
          label={t("rates.field.gpu")}
          hint={t("rates.unit.gpu", { currency })}
          value={fields.gpu}
          inputMode="decimal"
          numeric
          required
          {...wrong("gpu")}
        />
        <Input
          id="mem"
          name="mem"
          label={t("rates.field.mem")}
          hint={t("rates.unit.gib", { currency })}
          value={fields.mem}
          inputMode="decimal"
          numeric
          required
          {...wrong("mem")}
        />
      </div>
      <TextArea
        id="gpu_types"
        name="gpu_types"
        label={t("rates.field.gpuTypes")}
        hint={t("rates.hint.gpuTypes")}
        value={fields.gpuTypes}
        rows={3}
        {...wrong("gpuTypes")}
      />
      <DateField
        t={t}
        id="from"
        name="from"
        label={t("rates.field.from")}
        hint={t("rates.hint.from")}
        value={fields.from}
        {...wrong("from")}
      />
      <Opening isOpen={isNarrow} summary={t("rates.narrow")}>
        <div class="fields">
          <Input
            id="cluster"
            name="cluster"
            label={t("rates.field.cluster")}
            value={fields.cluster}
            spellcheck={false}
          />
          <Input
            id="partition"
            name="partition"
            label={t("rates.field.partition")}
            value={fields.partition}
            spellcheck={false}
          />
          <Input id="qos" name="qos" label={t("rates.field.qos")} value={fields.qos} spellcheck={false} />
        </div>
        <p class="field-hint">{t("rates.hint.narrow")}</p>
      </Opening>
      <Input
        id="note"
        name="note"
        label={t("rates.field.note")}
        hint={t("rates.hint.note")}
        value={fields.note}
        maxLength={500}
        {...wrong("note")}
      />
      <div class="actions">
        <Button kind="primary">{t("rates.preview")}</Button>
      </div>
    </form>
  );
}

/** More fields, one click away, open where they hold something. */
function Opening({
  isOpen,
  summary,
  children,
}: {
  readonly isOpen: boolean;
  readonly summary: string;
  readonly children: ComponentChildren;
}) {
  return isOpen ? <div class="stack-form">{children}</div> : <Disclosure summary={summary}>{children}</Disclosure>;
}

export interface RulesFormProps {
  readonly view: AdminView;
  readonly fields: RulesFields;
  readonly errors: RulesErrors;
}

export function RulesForm({ view, fields, errors }: RulesFormProps) {
  const { t } = view;
  const wrong = (field: keyof RulesErrors): { error?: string } => {
    const key = errors[field];
    return key === undefined ? {} : { error: t(key) };
  };
  return (
    <form method="get" action="/admin/rules/preview" class="stack-form">
      <Select
        id="basis"
        name="basis"
        label={t("rates.basis")}
        value={fields.basis}
        options={[
          { value: "allocated", label: t("rates.basis.allocated") },
          { value: "used", label: t("rates.basis.used") },
        ]}
      />
      <TextArea
        id="states"
        name="states"
        label={t("rates.field.states")}
        hint={t("rates.hint.states")}
        value={fields.states}
        rows={3}
        {...wrong("states")}
      />
      <TextArea
        id="partitions"
        name="partitions"
        label={t("rates.field.partitions")}
        hint={t("rates.hint.partitions")}
        value={fields.partitions}
        rows={2}
        {...wrong("partitions")}
      />
      <div class="fields fields-pair">
        <Input
          id="shorter"
          name="shorter_seconds"
          label={t("rates.field.shorter")}
          unit={t("rates.unit.seconds")}
          value={fields.shorterSeconds}
          inputMode="numeric"
          width="short"
          numeric
          {...wrong("shorterSeconds")}
        />
        <Input id="shorter-reason" name="shorter_reason" label={t("rates.field.reason")} value={fields.shorterReason} />
      </div>
      {fields.shares.map(({ tier, percent, reason }) => (
        <div class="fields fields-pair">
          <Input
            id={`share-${tier}`}
            name={`share_${tier}`}
            label={t("rates.field.share", { tier: tierName(tier, t) })}
            unit="%"
            value={percent}
            inputMode="decimal"
            width="short"
            numeric
            {...wrong("shares")}
          />
          <Input
            id={`share-${tier}-reason`}
            name={`share_${tier}_reason`}
            label={t("rates.field.reason")}
            value={reason}
          />
        </div>
      ))}
      <p class="field-hint">{t("rates.hint.reason")}</p>
      <DateField
        t={t}
        id="rules-from"
        name="from"
        label={t("rates.field.from")}
        hint={t("rates.hint.from")}
        value={fields.from}
        {...wrong("from")}
      />
      <Input
        id="rules-note"
        name="note"
        label={t("rates.field.note")}
        value={fields.note}
        maxLength={500}
        {...wrong("note")}
      />
      <div class="actions">
        <Button>{t("rates.preview")}</Button>
      </div>
    </form>
  );
}
