/** Asks slurmrestd: with the token of now, with every failure said in plain words, and never with a token in them. */
import { UpstreamError } from "../../errors.ts";
import { parseRestAddress, type RestAddress } from "./address.ts";
import { isHtml, oneLine, parseJson, readStart, refuseForeign, webPage } from "./answer-text.ts";
import { readTlsFiles, readToken, tlsFingerprint, tokenVariable } from "./credentials.ts";
import {
  complaintText,
  complaintsOf,
  connectionProblem,
  isAccessComplaint,
  isAuthComplaint,
  isNothingFound,
  RestAuthError,
  RestNotFoundError,
  StreamProblem,
  type SlurmComplaint,
} from "./failure.ts";
import { isObject, valueAt } from "./fields.ts";
import { HttpClient, type HttpAnswer } from "./http.ts";
import { JsonCutError, JsonCutter } from "./json-cutter.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type RestLimits, type RestTimeouts, type SlurmrestdOptions } from "./options.ts"; // prettier-ignore

/** An element of a streamed list. */
export interface ListElement {
  readonly value: unknown;
  /** 1-based place in the list. */
  readonly place: number;
  /** Bytes of the answer read so far. */
  readonly bytesRead: number;
}

/** What was read so far of an answer that may have to be asked for again. */
interface Progress {
  elements: number;
}

export class RestClient {
  readonly #options: SlurmrestdOptions;
  readonly #address: RestAddress;
  readonly #timeouts: RestTimeouts;
  readonly #limits: RestLimits;
  #http: HttpClient | null = null;
  #tlsMark = "";

  /** @throws UserError when the address cannot be understood. */
  constructor(options: SlurmrestdOptions) {
    this.#options = options;
    this.#address = parseRestAddress(options.url);
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** How messages name this slurmrestd. */
  get label(): string {
    return `slurmrestd at ${this.#address.label}`;
  }

  /** Reads a whole answer; it must be small. @throws UpstreamError */
  async read(path: string, signal: AbortSignal): Promise<unknown> {
    const rest: { value: unknown } = { value: undefined };
    for await (const _ of this.#elements(path, { key: null, signal, rest }));
    return rest.value;
  }

  /** Reads the long list `key` of an answer, one element at a time. @throws UpstreamError after the elements that came. */
  list(path: string, key: string, signal: AbortSignal): AsyncGenerator<ListElement, void> {
    return this.#elements(path, { key, signal, rest: { value: undefined } });
  }

  /** As `#once`; when the token is refused, but was replaced meanwhile, asks again with the new one. */
  async *#elements(
    path: string,
    ask: { key: string | null; signal: AbortSignal; rest: { value: unknown } },
  ): AsyncGenerator<ListElement, void> {
    const token = await readToken(this.#options.token);
    const progress: Progress = { elements: 0 };
    try {
      yield* this.#once(path, ask, { token, progress });
    } catch (error) {
      if (!(error instanceof RestAuthError) || progress.elements > 0) throw error;
      const newToken = await readToken(this.#options.token);
      if (newToken === token) throw error;
      yield* this.#once(path, ask, { token: newToken, progress });
    }
  }

  async *#once(
    path: string,
    ask: { key: string | null; signal: AbortSignal; rest: { value: unknown } },
    attempt: { token: string | null; progress: Progress },
  ): AsyncGenerator<ListElement, void> {
    const { token, progress } = attempt;
    try {
      const answer = await this.#open(path, { token, signal: ask.signal });
      const cutter = new JsonCutter({ key: ask.key, maxPartBytes: this.#limits.maxPartBytes });
      if (answer.status !== 200) {
        ask.rest.value = await this.#readError(path, answer);
        return;
      }
      let bytesRead = 0;
      for await (const piece of answer.body) {
        if (bytesRead === 0) refuseForeign(piece, answer);
        bytesRead += piece.length;
        cutter.feed(piece);
        for (const element of cutter.takeElements()) {
          const value: unknown = JSON.parse(element.toString("utf8"));
          yield { value, place: ++progress.elements, bytesRead };
        }
      }
      const rest = cutter.finish();
      this.#refuseComplaints(path, complaintsOf(rest));
      if (ask.key !== null) refuseUnlisted(rest, ask.key);
      ask.rest.value = rest;
    } catch (error) {
      throw this.#explained(path, error, { token, signal: ask.signal });
    }
  }

  async #open(path: string, ask: { token: string | null; signal: AbortSignal }): Promise<HttpAnswer> {
    ask.signal.throwIfAborted();
    const client = await this.#currentHttp();
    return await client.get({
      path,
      headers: {
        ...(this.#options.user === null ? {} : { "x-slurm-user-name": this.#options.user }),
        ...(ask.token === null ? {} : { "x-slurm-user-token": ask.token }),
      },
      signal: ask.signal,
      timeouts: this.#timeouts,
      maxBytes: this.#limits.maxAnswerBytes,
    });
  }

  /** The connections, made anew when a certificate file has changed. */
  async #currentHttp(): Promise<HttpClient> {
    const mark = this.#address.isTls ? await tlsFingerprint(this.#options) : "";
    if (this.#http !== null && mark === this.#tlsMark) return this.#http;
    const tls = this.#address.isTls ? await readTlsFiles(this.#options) : {};
    this.#http?.retire();
    this.#http = new HttpClient(this.#address, tls);
    this.#tlsMark = mark;
    return this.#http;
  }

  /** An answer that is not 200: thrown, unless it only says that nothing was found. */
  async #readError(path: string, answer: HttpAnswer): Promise<unknown> {
    const text = await readStart(answer);
    const json = parseJson(text);
    if (isNothingFound(json)) return json;
    const { status } = answer;
    if (status === 401 || status === 403) throw this.#tokenRefused(`HTTP ${status}`);
    if (status >= 300 && status < 400) {
      throw new StreamProblem(`it redirects elsewhere (HTTP ${status}), as a proxy or a login page does`);
    }
    const complaints = complaintsOf(json);
    if (complaints.length > 0) this.#refuseComplaints(path, complaints);
    if (isHtml(text, answer)) throw webPage(status);
    if (status === 404) throw new RestNotFoundError(`${this.label} does not know ${pathOnly(path)} (HTTP 404).`);
    throw new StreamProblem(`it answered HTTP ${status}${text.trim() === "" ? "" : `: ${oneLine(text)}`}`);
  }

  #refuseComplaints(path: string, complaints: readonly SlurmComplaint[]): void {
    if (complaints.length === 0) return;
    const text = complaintText(complaints);
    if (complaints.some(isAuthComplaint)) throw this.#tokenRefused(text);
    if (complaints.some(isAccessComplaint)) {
      throw new StreamProblem(`its user may not see this (${text}): SLURMRESTD_USER needs to be an operator in Slurm`);
    }
    throw new StreamProblem(`it could not answer ${pathOnly(path)}: ${text}`);
  }

  #tokenRefused(what: string): RestAuthError {
    const variable = tokenVariable(this.#options.token);
    return new RestAuthError(
      `${this.label} refuses the token (${what}). Tokens expire: renew it (${variable}) and check SLURMRESTD_USER.`,
    );
  }

  /** Every failure as one of ours; what the caller cancelled stays what it was. */
  #explained(path: string, error: unknown, ask: { token: string | null; signal: AbortSignal }): unknown {
    if (ask.signal.aborted) return ask.signal.reason;
    if (error instanceof UpstreamError) return error;
    const problem =
      error instanceof JsonCutError
        ? error.message
        : error instanceof SyntaxError
          ? "the answer is not valid JSON"
          : connectionProblem(error);
    const text = `${this.label}: ${problem} (${pathOnly(path)}).`;
    // What others wrote may quote what we sent.
    return new UpstreamError(ask.token === null ? text : text.replaceAll(ask.token, "(token)"));
  }
}

/** JSON of somebody else must not pass for an empty list; Slurm's own may be null or missing when it found nothing. */
function refuseUnlisted(answer: unknown, key: string): void {
  if (Array.isArray(valueAt(answer, key)) || isNothingFound(answer)) return;
  if (valueAt(answer, key) === null && isObject(valueAt(answer, "meta"))) return;
  throw new StreamProblem(`the answer holds no list of ${key}: this looks like another service, not slurmrestd`);
}

/** A path for a message: without the query, which says nothing to people. */
function pathOnly(path: string): string {
  return path.split("?", 1)[0] ?? path;
}
