/** What an answer looks like that is not the JSON that was asked for. */
import { StreamProblem } from "./failure.ts";
import type { HttpAnswer } from "./http.ts";

const MAX_ERROR_BYTES = 65_536;
const SHOWN_CHARACTERS = 200;

/** @throws StreamProblem when the first bytes of an answer already show that it is no JSON object. */
export function refuseForeign(start: Buffer, answer: HttpAnswer): void {
  const text = start.toString("utf8", 0, 1024);
  if (isHtml(text, answer)) throw webPage(answer.status);
  if (!text.trimStart().startsWith("{")) throw new StreamProblem(`the answer is not JSON: ${oneLine(text)}`);
}

/** Whether an answer is a web page. */
export function isHtml(text: string, answer: HttpAnswer): boolean {
  return answer.contentType.includes("html") || text.trimStart().startsWith("<");
}

/** The problem that a web page is. */
export function webPage(status: number): StreamProblem {
  return new StreamProblem(
    `a web page came back instead of JSON (HTTP ${status}): this looks like a proxy or a login page, not slurmrestd`,
  );
}

/** The first bytes of an answer, as text; the rest is not read. */
export async function readStart(answer: HttpAnswer): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer.body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** The value of a text, or undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A text for a message: short and on one line. */
export function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/gu, " ");
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}
