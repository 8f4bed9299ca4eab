/** The fields of the rates' forms, as typed, and what is wrong with them. */
import type { Tier } from "../../../rating/tiers.ts";
import type { MessageKey } from "../../i18n/index.ts";

export interface RateFields {
  readonly tier: Tier;
  readonly cpu: string;
  readonly gpu: string;
  readonly mem: string;
  /** One `type=price` per line. */
  readonly gpuTypes: string;
  /** `YYYY-MM-DD`; empty: for all usage not yet billed. */
  readonly from: string;
  readonly cluster: string;
  readonly partition: string;
  readonly qos: string;
  readonly note: string;
}

type WrongKey = Extract<MessageKey, `rates.wrong.${string}`>;

export type RateErrors = { readonly [K in Exclude<keyof RateFields, "tier">]?: WrongKey };

export interface ShareFields {
  readonly tier: Tier;
  /** Percent of the full price. */
  readonly percent: string;
  readonly reason: string;
}

export interface RulesFields {
  readonly basis: string;
  /** One `STATE = reason` per line. */
  readonly states: string;
  /** One `partition = reason` per line. */
  readonly partitions: string;
  readonly shorterSeconds: string;
  readonly shorterReason: string;
  readonly shares: readonly ShareFields[];
  readonly from: string;
  readonly note: string;
}

export type RulesErrors = { readonly [K in keyof RulesFields]?: WrongKey };
