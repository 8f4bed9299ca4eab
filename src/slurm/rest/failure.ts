/** Says in plain words why slurmrestd could not be asked or what was wrong with its answer. */
import { messageOf, UpstreamError } from "../../errors.ts";
import { listAt, numberAt, textAt } from "./fields.ts";

/** Slurm's numbers for errors (slurm_errno.h): a token that is not accepted, and a right that is missing. */
const PROTOCOL_AUTHENTICATION_ERROR = 1007;
const ACCESS_DENIED = 2002;
/** `ESLURM_REST_EMPTY_RESULT`: not an error, only an empty answer. */
const EMPTY_RESULT = 9003;

/** slurmrestd does not accept the token: worth another try when the token has changed meanwhile. */
export class RestAuthError extends UpstreamError {}

/** slurmrestd does not know the path: worth another look at its versions. */
export class RestNotFoundError extends UpstreamError {}

/** Limits and cut answers, thrown inside of a stream: the message is complete but for the address. */
export class StreamProblem extends Error {
  override readonly name = "StreamProblem";
}

/** One entry of an answer's `errors`. */
export interface SlurmComplaint {
  readonly number: number;
  readonly text: string;
}

const CAUSES: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "the connection was refused: nothing listens there"],
  ["ENOTFOUND", "its host name is not known"],
  ["EAI_AGAIN", "its host name could not be looked up"],
  ["EHOSTUNREACH", "its host cannot be reached"],
  ["ENETUNREACH", "its network cannot be reached"],
  ["ETIMEDOUT", "it did not answer in time"],
  ["ENOENT", "there is no such socket"],
  ["ENOTSOCK", "that file is not a socket"],
  ["EACCES", "this process may not open the socket"],
  ["ECONNRESET", "the connection was cut"],
  ["EPIPE", "the connection was cut"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet"],
  ["CERT_REVOKED", "its certificate was revoked"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another host name"],
]);

const UNTRUSTED = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
]);

/** Why a connection failed, from node's error. */
export function connectionProblem(error: unknown): string {
  if (error instanceof StreamProblem) return error.message;
  const code = codeOf(error);
  const known = CAUSES.get(code);
  if (known !== undefined) return known;
  if (UNTRUSTED.has(code)) {
    return "its certificate is not signed by an authority that is trusted here: set SLURMRESTD_CA to the file of its authority";
  }
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ALERT_(?:BAD|UNKNOWN)|UNKNOWN_CA/u.test(code)) {
    return "it refused our certificate or wants one: check SLURMRESTD_CLIENT_CERT and SLURMRESTD_CLIENT_KEY";
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return "it does not speak TLS there: is it http:// instead of https://?";
  if (code.startsWith("HPE_")) return "what came back is not HTTP: is it https:// instead of http://?";
  if (code.startsWith("ERR_OSSL_")) return "our certificate or key cannot be used: check SLURMRESTD_CLIENT_CERT, SLURMRESTD_CLIENT_KEY and SLURMRESTD_CA"; // prettier-ignore
  return messageOf(error);
}

/** node's code of an error, such as ECONNREFUSED; empty when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The entries of an answer's `errors`, without those that only say that there is nothing. */
export function complaintsOf(answer: unknown): readonly SlurmComplaint[] {
  return listAt(answer, "errors").map(readComplaint).filter((complaint) => !saysNothing(complaint)); // prettier-ignore
}

/** Whether an answer's `errors` say that nothing was found, and nothing else. */
export function isNothingFound(answer: unknown): boolean {
  const complaints = listAt(answer, "errors").map(readComplaint);
  return complaints.length > 0 && complaints.every(saysNothing);
}

export function isAuthComplaint({ number, text }: SlurmComplaint): boolean {
  return number === PROTOCOL_AUTHENTICATION_ERROR || /authentication/iu.test(text);
}

export function isAccessComplaint({ number, text }: SlurmComplaint): boolean {
  return number === ACCESS_DENIED || /permission denied|doesn't have privilege/iu.test(text);
}

/** Complaints as one line. */
export function complaintText(complaints: readonly SlurmComplaint[]): string {
  const shown = complaints.slice(0, 3).map(({ number, text }) => (number > 0 ? `${text} (${number})` : text));
  return shown.join("; ").slice(0, 400);
}

function readComplaint(entry: unknown): SlurmComplaint {
  const number = numberAt(entry, "error_number");
  const parts = [textAt(entry, "error"), textAt(entry, "description")].filter((part) => part !== "");
  const text = typeof entry === "string" ? entry : parts.join(": ");
  return { number, text: text === "" && number !== 0 ? "an error without a text" : text };
}

function saysNothing({ number, text }: SlurmComplaint): boolean {
  return number === EMPTY_RESULT || /^nothing found/iu.test(text) || (number === 0 && text === "");
}
