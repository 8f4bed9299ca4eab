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

/** Providers keep what is done with test keys apart from what is done with live ones, and mark it (`livemode`). */
export interface Modes {
  readonly isLive: boolean;
  readonly isLiveKey: boolean;
}

/** An event that does not belong to our secret key: no real money may count for a test's, and the other way round. */
export function eventOfOtherMode(provider: string, { isLive }: Pick<Modes, "isLive">): ParsedEvent {
  const reason = isLive
    ? `${provider} sent a live event, and the secret key here is a test one: point the live webhook at the live site, or set the live secret key here`
    : `${provider} sent a test event, and the secret key here is a live one: point the test webhook at a test site, or remove it`;
  return { kind: "unreadable", reason };
}

/** Why an answer cannot be used that does not belong to our secret key; undefined when it does. */
export function otherModeOfAnswer({ isLive, isLiveKey }: Modes): string | undefined {
  if (isLive === isLiveKey) return undefined;
  return isLive
    ? "its answer is about live money, and the secret key is a test one"
    : "its answer is about a test, and the secret key is a live one";
}
