/** All changes of a job since it was billed, on the job's page and beside one of them. */
import type { Correction } from "../../../billing/corrections.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { When } from "../me/when.tsx";
import { signedMoney } from "../me/words.ts";
import { DataTable, Pill, type Tone } from "../ui/index.ts";

const STATUS_WORDS = {
  open: ["corrections.status.open", "waiting"],
  settled: ["corrections.status.settled", "good"],
  superseded: ["corrections.status.superseded", "neutral"],
} as const satisfies Record<Correction["status"], readonly [string, Tone]>;

export function CorrectionPill({ t, correction }: { readonly t: Translator; readonly correction: Correction }) {
  if (correction.beforeMinor === correction.afterMinor)
    return <Pill tone="neutral">{t("corrections.status.nothing")}</Pill>;
  const [key, tone] = STATUS_WORDS[correction.status];
  return <Pill tone={tone}>{t(key)}</Pill>;
}

export function CorrectionTable({
  t,
  fmt,
  corrections,
}: {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly corrections: readonly Correction[];
}) {
  return (
    <DataTable<Correction>
      caption={t("corrections.allOfJob")}
      rows={corrections}
      columns={[
        {
          key: "recorded",
          header: t("corrections.recorded"),
          nowrap: true,
          cell: ({ id, recordedAt }) => (
            <a href={`/me/corrections/${id}`}>
              <When at={recordedAt} fmt={fmt} look="long" />
            </a>
          ),
        },
        {
          key: "receipt",
          header: t("corrections.original"),
          nowrap: true,
          cell: ({ receiptId, receiptNumber }) => <a href={`/me/receipts/${receiptId}`}>{receiptNumber}</a>,
        },
        {
          key: "status",
          header: t("corrections.status"),
          phone: "bare",
          cell: (correction) => <CorrectionPill t={t} correction={correction} />,
        },
        {
          key: "difference",
          header: t("corrections.difference"),
          align: "end",
          nowrap: true,
          cell: ({ beforeMinor, afterMinor }) => signedMoney(fmt, afterMinor - beforeMinor),
        },
      ]}
    />
  );
}
