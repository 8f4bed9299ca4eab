import { UserError } from "../../errors.ts";
import { translator, type MessageKey } from "../i18n/index.ts";

/** Something to tell the visitor in their own language; scripts and logs get it in English. */
export class MessageError extends UserError {
  readonly key: ErrorKey;

  constructor(key: ErrorKey, options: { readonly status: number; readonly cause?: unknown }) {
    super(translator("en")(key), options);
    this.key = key;
  }
}

/** Messages about errors take no values. */
export type ErrorKey = Extract<MessageKey, `error.text.${string}`>;
