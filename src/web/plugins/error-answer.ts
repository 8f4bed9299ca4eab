/** What an error becomes for whoever asked. Pure: nothing is sent or logged here. */
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { UpstreamError, UserError } from "../../errors.ts";
import { translator, type Translator } from "../i18n/index.ts";
import { MessageError, type ErrorKey } from "./message-error.ts";

export interface ErrorAnswer {
  readonly status: number;
  /** A key, or a sentence of the error's own that is the same in every language. */
  readonly text: { readonly key: ErrorKey } | { readonly words: string };
}

/** Anything unknown is a bug: its message stays in the log. */
export function answerTo(error: unknown): ErrorAnswer {
  if (error instanceof MessageError) return { status: error.status, text: { key: error.key } };
  if (error instanceof UserError) return { status: error.status, text: { words: error.message } };
  if (hasZodFastifySchemaValidationErrors(error)) return { status: 400, text: { words: wordsOf(error.validation) } };
  if (isDatabaseDown(error)) return { status: 503, text: { key: "error.text.databaseDown" } };
  if (error instanceof UpstreamError) return { status: 502, text: { key: "error.text.upstream" } };
  return frameworkAnswer(error) ?? { status: 500, text: { key: "error.text.broken" } };
}

/** The answer's sentence, which begins with a capital on pages. */
export function sentenceOf({ text }: ErrorAnswer, t: Translator): string {
  if ("key" in text) return t(text.key);
  return text.words.charAt(0).toUpperCase() + text.words.slice(1);
}

/** For scripts, always in English. */
export function jsonOf(answer: ErrorAnswer): { error: string; code: number } {
  return { error: "key" in answer.text ? translator("en")(answer.text.key) : answer.text.words, code: answer.status };
}

const MAX_PROBLEMS = 20;

/** Each field with what it takes, as its schema says. */
function wordsOf(
  problems: readonly { readonly instancePath: string; readonly message?: string | undefined }[],
): string {
  return problems
    .slice(0, MAX_PROBLEMS)
    .map(({ instancePath, message = "is not valid" }) => {
      const field = instancePath.replace(/^\//u, "").replaceAll("/", ".");
      return field === "" ? message : `${field}: ${message}`;
    })
    .join("; ");
}

const FRAMEWORK_TEXTS: Readonly<Record<number, ErrorKey>> = {
  400: "error.text.invalidBody",
  404: "error.text.notFound",
  413: "error.text.tooLarge",
  415: "error.text.unsupportedType",
  429: "error.text.tooManyRequests",
};

/** Errors of Fastify and its plugins carry a status; only those that are the client's are believed. */
function frameworkAnswer(error: unknown): ErrorAnswer | undefined {
  const status = numberProperty(error, "statusCode") ?? 500;
  const isFrameworks = status === 429 || stringProperty(error, "code")?.startsWith("FST_") === true;
  if (!isFrameworks || status < 400 || status > 499) return undefined;
  // A path out of the public folder: whether something is there is nobody's business.
  if (status === 403) return { status: 404, text: { key: "error.text.notFound" } };
  return { status, text: { key: FRAMEWORK_TEXTS[status] ?? "error.text.invalidRequest" } };
}

/** Codes of node and of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const DOWN_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EPIPE",
  "ENOENT",
]);
/** A file that is missing has the code of a socket that is. */
const CONNECTION_CALLS: ReadonlySet<string> = new Set(["connect", "getaddrinfo", "read", "write"]);
const DOWN_STATES = /^(?:08...|57P0[1-5]|53300|25006)$/u;
/** What `pg` throws without a code. */
const DOWN_MESSAGES =
  /^(?:timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Cannot use a pool after calling end)/u;

/** Whether the database could not be reached, is starting, stopping or full, or only takes reads for now. */
export function isDatabaseDown(error: unknown, depth = 0): boolean {
  // What depends on another system says so itself; its own cause may be a refused connection too.
  if (!(error instanceof Error) || error instanceof UpstreamError || depth > 5) return false;
  const code = stringProperty(error, "code") ?? "";
  if (DOWN_STATES.test(code) || DOWN_MESSAGES.test(error.message)) return true;
  if (DOWN_CODES.has(code) && CONNECTION_CALLS.has(stringProperty(error, "syscall") ?? "")) return true;
  if (error instanceof AggregateError && error.errors.some((one) => isDatabaseDown(one, depth + 1))) return true;
  return isDatabaseDown(error.cause, depth + 1);
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function stringProperty(value: unknown, name: string): string | undefined {
  const found = property(value, name);
  return typeof found === "string" ? found : undefined;
}

function numberProperty(value: unknown, name: string): number | undefined {
  const found = property(value, name);
  return typeof found === "number" ? found : undefined;
}
