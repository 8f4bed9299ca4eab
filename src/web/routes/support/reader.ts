/** Who reads the answer: their language's words, and numbers and times as they are written here. */
import type { FastifyRequest } from "fastify";
import { formatter, type Formatter } from "../../format.ts";
import { translator, type Translator } from "../../i18n/index.ts";
import { langOfRequest } from "../../route-kit.ts";

export interface Reader {
  readonly t: Translator;
  readonly fmt: Formatter;
}

/** Amounts are in the site's currency, but for documents that were issued in another. */
export function readerOf(request: FastifyRequest, currency?: string): Reader {
  const { config } = request.server.web;
  const lang = langOfRequest(request);
  return {
    t: translator(lang),
    fmt: formatter({ lang, timeZone: config.siteTz, currency: currency ?? config.currency.code }),
  };
}
