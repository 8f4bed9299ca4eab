import type { z } from "zod";
import { messageOf, UpstreamError } from "../../errors.ts";
import { errorSchema } from "./api.ts";

const API_VERSION = "2019-05-29";
const PATIENCE_MS = 10_000;
const LONGEST_DETAIL = 300;

/** Where Omise is, and who asks it. */
export interface OmiseAccount {
  readonly secretKey: string;
  readonly baseUrl: string;
  /** How long one question may take. */
  readonly patienceMs?: number;
}

/** Whether a secret key is for live money: `skey_test_…` is for tests, and `skey_…` is not. */
export function isLiveKey(secretKey: string): boolean {
  return !secretKey.startsWith("skey_test_");
}

/** One question. */
export interface OmiseQuestion {
  /** Completes "Omise was asked to …" in messages. */
  readonly what: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Begins with a slash; ids in it were checked. */
  readonly path: string;
  /** Sent in the address of a GET and as a form with a POST. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Omise answered, and the answer was no. */
export class OmiseRefusal extends UpstreamError {
  override readonly name: string = "OmiseRefusal";
  readonly httpStatus: number;
  /** As in https://docs.omise.co/api-errors; empty where none was given. */
  readonly code: string;
  /** Omise's own words. */
  readonly detail: string;

  constructor(message: string, { httpStatus, code, detail }: { httpStatus: number; code: string; detail: string }) {
    super(message);
    this.httpStatus = httpStatus;
    this.code = code;
    this.detail = detail;
  }

  /** Whether Omise looked at what it was asked and says no to just that, so that asking again does not help. */
  get isForGood(): boolean {
    // A bank behind it could not be reached: the one code of a bad request that tells to try again.
    if (this.code === "backend_error") return false;
    return this.httpStatus === 400 || this.httpStatus === 404 || this.httpStatus === 422;
  }
}

/**
 * Asks Omise one thing, once, and reads the answer.
 *
 * @throws {OmiseRefusal} when it answers with an error; the message says what was asked, why not, and what helps.
 * @throws {UpstreamError} when it does not answer in time, or answers something that cannot be read.
 */
export async function askOmise<T>(account: OmiseAccount, question: OmiseQuestion, answer: z.ZodType<T>): Promise<T> {
  const { status, text } = await send(account, question);
  const json = parse(text);
  if (status < 200 || status > 299) throw refusal(account, question, status, json);
  const read = answer.safeParse(json);
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join(".") ?? "";
  throw new UpstreamError(`${asked(question)} and its answer cannot be read${where === "" ? "" : ` at ${where}`}`);
}

async function send(account: OmiseAccount, question: OmiseQuestion): Promise<{ status: number; text: string }> {
  const fields = new URLSearchParams(question.fields);
  const query = question.method === "GET" && fields.size > 0 ? `?${fields.toString()}` : "";
  try {
    const response = await fetch(`${account.baseUrl.replace(/\/+$/u, "")}${question.path}${query}`, {
      method: question.method,
      headers: {
        authorization: `Basic ${Buffer.from(`${account.secretKey}:`).toString("base64")}`,
        "omise-version": API_VERSION,
        accept: "application/json",
      },
      body: question.method === "POST" ? fields : null,
      // The key goes to the configured address and nowhere else.
      redirect: "error",
      signal: AbortSignal.timeout(account.patienceMs ?? PATIENCE_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const reason = messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
    const message = `${asked(question)} and did not answer (${reason}); trying again helps`;
    throw new UpstreamError(withoutKey(account, message), { cause: error });
  }
}

function refusal(account: OmiseAccount, question: OmiseQuestion, status: number, json: unknown): OmiseRefusal {
  const error = errorSchema.safeParse(json);
  const detail = withoutKey(account, error.success ? error.data.message : "no reason given").slice(0, LONGEST_DETAIL);
  const code = withoutKey(account, error.success ? error.data.code : "").slice(0, LONGEST_DETAIL);
  const shown = code === "" ? "" : ` ${code}`;
  const message = `${asked(question)} and refused (${status}${shown}: ${detail}); ${adviceFor(status)}`;
  return new OmiseRefusal(message, { httpStatus: status, code, detail });
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return "check the secret key and what it may do: trying again does not help";
  if (status === 429) return "it is asked too often: trying again in a minute helps";
  return status >= 500 ? "trying again helps" : "trying again does not help";
}

function asked({ what }: OmiseQuestion): string {
  return `Omise was asked to ${what}`;
}

/** Whatever stands between us and Omise may repeat what we sent it. */
function withoutKey({ secretKey }: OmiseAccount, text: string): string {
  return text.replaceAll(secretKey, "[key]").replaceAll(Buffer.from(`${secretKey}:`).toString("base64"), "[key]");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
