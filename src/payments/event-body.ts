import type { ParsedEvent } from "./provider.ts";

/** The body of an event as JSON, read by its provider's own rules; one that is no JSON is unreadable. */
export function readJsonEvent(rawBody: Buffer, read: (json: unknown) => ParsedEvent): ParsedEvent {
  let json: unknown;
  try {
    json = JSON.parse(rawBody.toString("utf8"));
  } catch {
    return { kind: "unreadable", reason: "the body is not JSON" };
  }
  return read(json);
}
