/** The form for a new version of a rate, read by its digits and explained field by field. */
import { z } from "zod";
import { parseMicro } from "../../../rating/money.ts";
import { TIERS, type Tier } from "../../../rating/tiers.ts";
import type { StoredRate } from "../../../usage/prices/book.ts";
import type { NewRate } from "../../../usage/prices/change.ts";
import { isDay, type SiteDays } from "../../../usage/site-day.ts";
import { formatMicro } from "../../../rating/money.ts";
import type { RateErrors, RateFields } from "../../pages/admin/rate-fields.ts";
import { text } from "./context.ts";

const typed = text(4_000).default("");

/** As the form and other people's scripts send it. A script that does not send GPU types keeps theirs. */
export const rateForm = z.object({
  type: z.enum(TIERS, { error: `takes one of ${TIERS.join(", ")}` }),
  cpu: typed,
  gpu: typed,
  mem: typed,
  gpu_types: text(4_000).optional(),
  from: typed,
  cluster: typed,
  partition: typed,
  qos: typed,
  note: typed,
});

export type RateFormInput = z.output<typeof rateForm>;

export type RateReading =
  { readonly kind: "read"; readonly rate: NewRate } | { readonly kind: "wrong"; readonly errors: RateErrors };

export function readRateForm(form: RateFormInput, days: SiteDays): RateReading {
  const errors: { -readonly [K in keyof RateErrors]: RateErrors[K] } = {};
  const price = (field: "cpu" | "gpu" | "mem"): bigint => {
    const micro = parseMicro(form[field]);
    if (micro === undefined) errors[field] = "rates.wrong.price";
    return micro ?? 0n;
  };
  const cpuMicro = price("cpu");
  const gpuMicro = price("gpu");
  const memMicro = price("mem");
  const gpuTypeMicro = form.gpu_types === undefined ? undefined : parseGpuPrices(form.gpu_types);
  if (gpuTypeMicro === null) errors.gpuTypes = "rates.wrong.gpuTypes";
  const from = form.from.trim();
  if (from !== "" && !isDay(from)) errors.from = "rates.wrong.day";
  if (form.note.length > 500) errors.note = "rates.wrong.note";
  if (Object.keys(errors).length > 0) return { kind: "wrong", errors };
  const scope = (text: string): string | null => (text.trim() === "" ? null : text.trim());
  return {
    kind: "read",
    rate: {
      tier: form.type,
      cpuMicro,
      gpuMicro,
      memMicro,
      gpuTypeMicro: gpuTypeMicro ?? undefined,
      cluster: scope(form.cluster),
      partition: scope(form.partition),
      qos: scope(form.qos),
      effectiveFrom: from === "" ? null : new Date(days.startOf(from) * 1000),
      note: form.note.trim(),
    },
  };
}

const MAX_GPU_TYPES = 100;

/** Lines such as `a100=42.5`; null when one of them is something else, or names a type twice. */
function parseGpuPrices(text: string): ReadonlyMap<string, bigint> | null {
  const prices = new Map<string, bigint>();
  for (const line of text.split(/\r?\n/u)) {
    if (line.trim() === "") continue;
    const cut = line.indexOf("=");
    const type = line.slice(0, Math.max(cut, 0)).trim();
    const micro = parseMicro(line.slice(cut + 1));
    if (!/^[\w.:-]{1,64}$/u.test(type) || micro === undefined || prices.has(type)) return null;
    prices.set(type, micro);
  }
  return prices.size > MAX_GPU_TYPES ? null : prices;
}

/** What the form shows again after it was sent. */
export function fieldsOfForm(form: RateFormInput): RateFields {
  const { type, gpu_types, ...rest } = form;
  return { tier: type, gpuTypes: gpu_types ?? "", ...rest };
}

/** The form as it begins: the prices that hold now. */
export function fieldsOfRate(tier: Tier, rate: StoredRate | undefined): RateFields {
  return {
    tier,
    cpu: rate === undefined ? "" : formatMicro(rate.cpuMicro),
    gpu: rate === undefined ? "" : formatMicro(rate.gpuMicro),
    mem: rate === undefined ? "" : formatMicro(rate.memMicro),
    gpuTypes:
      rate === undefined
        ? ""
        : [...rate.gpuTypeMicro].map(([type, micro]) => `${type}=${formatMicro(micro)}`).join("\n"),
    from: "",
    cluster: rate?.cluster ?? "",
    partition: rate?.partition ?? "",
    qos: rate?.qos ?? "",
    note: "",
  };
}
