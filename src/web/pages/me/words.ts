/** How prices and resources are called, on every page that shows a job or a receipt. */
import type { Tier } from "../../../rating/tiers.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";

const TIER_WORDS = { mu: "tierName.mu", gov: "tierName.gov", private: "tierName.private" } as const;
const TIER_LONG_WORDS = { mu: "tierName.muLong", gov: "tierName.govLong", private: "tierName.privateLong" } as const;

/** `MU`, `Government`, `Private`. */
export function tierText(t: Translator, tier: Tier): string {
  return t(TIER_WORDS[tier]);
}

/** `MU, own university`. */
export function tierLongText(t: Translator, tier: Tier): string {
  return t(TIER_LONG_WORDS[tier]);
}

export type PricedResource = "cpu" | "gpu" | "mem";

const RESOURCE_WORDS = { cpu: "resource.cpu", gpu: "resource.gpu", mem: "resource.memory" } as const;
const UNIT_WORDS = { cpu: "unit.coreHours", gpu: "unit.gpuHours", mem: "unit.gibHours" } as const;

/** `CPU`, `GPU a100`, `Memory`. */
export function resourceText(t: Translator, resource: PricedResource, gpuType: string | null): string {
  const name = t(RESOURCE_WORDS[resource]);
  return gpuType === null ? name : `${name} ${gpuType}`;
}

/** `53.4000 core-h`. */
export function quantityText(
  t: Translator,
  fmt: Formatter,
  resource: PricedResource,
  quantity: { readonly base: bigint; readonly basePerHour: bigint },
): string {
  return `${fmt.decimal(quantity.base, quantity.basePerHour, 4)} ${t(UNIT_WORDS[resource])}`;
}

const FULL_SHARE = 1_000_000n;

/** `฿1.250000`, and `฿1.250000 × 40 %` where the tier pays a part of it. */
export function rateText(fmt: Formatter, rateMicro: bigint, shareMillionths: bigint): string {
  const rate = fmt.rate(rateMicro);
  return shareMillionths === FULL_SHARE ? rate : `${rate} × ${shareText(fmt, shareMillionths)}`;
}

/** Millionths as a percentage with the decimals it needs: `40 %`, `12.5 %`. */
export function shareText(fmt: Formatter, millionths: bigint): string {
  const decimals = millionths % 10_000n === 0n ? 0 : millionths % 1_000n === 0n ? 1 : millionths % 100n === 0n ? 2 : 4;
  return fmt.percent(millionths, FULL_SHARE, decimals) ?? "";
}

/** `64 GiB`, `1.5 GiB`, `500 MiB`. */
export function memoryText(fmt: Formatter, mib: number): string {
  if (mib < 1024) return `${fmt.integer(mib)} MiB`;
  return `${fmt.decimal(BigInt(mib), 1024n, mib % 1024 === 0 ? 0 : 1)} GiB`;
}

/** The tax as receipts name it: `VAT 7 %`. */
export function taxText(fmt: Formatter, label: string, rateMicro: bigint): string {
  return `${label} ${shareText(fmt, rateMicro)}`;
}

/** A difference: `+฿5.00`, `−฿5.00`. */
export function signedMoney(fmt: Formatter, minor: bigint): string {
  return minor > 0n ? `+${fmt.money(minor)}` : fmt.money(minor);
}
