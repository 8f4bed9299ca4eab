/** The form for a new version of the charging rules. */
import { z } from "zod";
import { formatMicro, MICRO, parseMicro } from "../../../rating/money.ts";
import type { Exemption, RuleSet, Share } from "../../../rating/price-book.ts";
import { TIERS } from "../../../rating/tiers.ts";
import type { NewRules } from "../../../usage/prices/change.ts";
import { isDay, type SiteDays } from "../../../usage/site-day.ts";
import type { RulesErrors, RulesFields } from "../../pages/admin/rate-fields.ts";
import { text } from "./context.ts";

const typed = text(4_000).default("");

export const rulesForm = z.object({
  basis: z.enum(["allocated", "used"], { error: "takes allocated or used" }),
  states: typed,
  partitions: typed,
  shorter_seconds: typed,
  shorter_reason: typed,
  share_mu: typed,
  share_mu_reason: typed,
  share_gov: typed,
  share_gov_reason: typed,
  share_private: typed,
  share_private_reason: typed,
  from: typed,
  note: typed,
});

export type RulesFormInput = z.output<typeof rulesForm>;

export type RulesReading =
  { readonly kind: "read"; readonly rules: NewRules } | { readonly kind: "wrong"; readonly errors: RulesErrors };

export function readRulesForm(form: RulesFormInput, days: SiteDays): RulesReading {
  const errors: { -readonly [K in keyof RulesErrors]: RulesErrors[K] } = {};
  const states = linesOf(form.states.toUpperCase() === form.states ? form.states : upperStates(form.states));
  if (states === null) errors.states = "rates.wrong.exemptions";
  const partitions = linesOf(form.partitions);
  if (partitions === null) errors.partitions = "rates.wrong.exemptions";
  const shorter = shorterOf(form);
  if (shorter === null) errors.shorterSeconds = "rates.wrong.shorter";
  const shares = sharesOf(form);
  if (shares === null) errors.shares = "rates.wrong.shares";
  const from = form.from.trim();
  if (from !== "" && !isDay(from)) errors.from = "rates.wrong.day";
  if (form.note.length > 500) errors.note = "rates.wrong.note";
  if (states === null || partitions === null || shorter === null || shares === null || Object.keys(errors).length > 0)
    return { kind: "wrong", errors };
  return {
    kind: "read",
    rules: {
      basis: form.basis,
      exemptions: [
        ...states.map(([state, reason]): Exemption => ({ kind: "state", state, reason })),
        ...partitions.map(([partition, reason]): Exemption => ({ kind: "partition", partition, reason })),
        ...shorter,
      ],
      shares,
      effectiveFrom: from === "" ? null : new Date(days.startOf(from) * 1000),
      note: form.note.trim(),
    },
  };
}

/** Slurm's states are written in capitals; the reasons behind them stay as they are. */
function upperStates(text: string): string {
  return text.replace(/^[^=\r\n]*/gmu, (state) => state.toUpperCase());
}

const MAX_LINES = 100;

/** Lines such as `debug = for trying things out`; null when one lacks its reason or names a thing twice. */
function linesOf(text: string): readonly (readonly [string, string])[] | null {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/u)) {
    if (line.trim() === "") continue;
    const cut = line.indexOf("=");
    const name = line.slice(0, Math.max(cut, 0)).trim();
    const reason = line.slice(cut + 1).trim();
    if (cut < 1 || name === "" || reason === "" || reason.length > 200 || found.has(name)) return null;
    found.set(name, reason);
  }
  return found.size > MAX_LINES ? null : [...found];
}

function shorterOf(form: RulesFormInput): readonly Exemption[] | null {
  const text = form.shorter_seconds.trim();
  const reason = form.shorter_reason.trim();
  if (text === "" || text === "0") return [];
  const seconds = /^\d{1,8}$/u.test(text) ? Number(text) : 0;
  return seconds > 0 && reason !== "" ? [{ kind: "shorter_than", seconds, reason }] : null;
}

/** A tier that pays everything has no share; any other needs its reason. */
function sharesOf(form: RulesFormInput): readonly Share[] | null {
  const shares: Share[] = [];
  for (const tier of TIERS) {
    const text = form[`share_${tier}`].trim().replace(/\s*%$/u, "");
    const reason = form[`share_${tier}_reason`].trim();
    const percent = text === "" ? 100n * MICRO : parseMicro(text);
    if (percent === undefined || percent > 100n * MICRO || percent % 100n !== 0n) return null;
    if (percent === 100n * MICRO) continue;
    if (reason === "") return null;
    shares.push({ tier, millionths: percent / 100n, reason });
  }
  return shares;
}

export function fieldsOfRulesForm(form: RulesFormInput): RulesFields {
  return {
    basis: form.basis,
    states: form.states,
    partitions: form.partitions,
    shorterSeconds: form.shorter_seconds,
    shorterReason: form.shorter_reason,
    shares: TIERS.map((tier) => ({ tier, percent: form[`share_${tier}`], reason: form[`share_${tier}_reason`] })),
    from: form.from,
    note: form.note,
  };
}

/** The form as it begins: the rules that hold now. */
export function fieldsOfRules(rules: RuleSet | undefined): RulesFields {
  const exemptions = rules?.exemptions ?? [];
  const shorter = exemptions.find((one) => one.kind === "shorter_than");
  return {
    basis: rules?.basis ?? "allocated",
    states: exemptions.flatMap((one) => (one.kind === "state" ? [`${one.state} = ${one.reason}`] : [])).join("\n"),
    partitions: exemptions
      .flatMap((one) => (one.kind === "partition" ? [`${one.partition} = ${one.reason}`] : []))
      .join("\n"),
    shorterSeconds: shorter === undefined ? "" : String(shorter.seconds),
    shorterReason: shorter?.reason ?? "",
    shares: TIERS.map((tier) => {
      const share = rules?.shares.find((one) => one.tier === tier);
      return {
        tier,
        percent: formatMicro(share === undefined ? 100n * MICRO : share.millionths * 100n),
        reason: share?.reason ?? "",
      };
    }),
    from: "",
    note: "",
  };
}
