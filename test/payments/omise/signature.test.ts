import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { anEvent, NEW_SECRET, NOW_SECONDS, offline, OLD_SECRET, parse, sign } from "./event-setup.ts";

describe("the signature of an event", () => {
  const body = anEvent();

  it("is taken when the secret made it over these bytes just now", () => {
    expect(parse(body, sign(body, [NEW_SECRET]), [NEW_SECRET])).toMatchObject({ kind: "event" });
  });

  it("is taken while a secret is rolled, whichever of the two we have", () => {
    const headers = sign(body, [OLD_SECRET, NEW_SECRET]);
    expect(parse(body, headers, [OLD_SECRET])).toMatchObject({ kind: "event" });
    expect(parse(body, headers, [NEW_SECRET])).toMatchObject({ kind: "event" });
    expect(parse(body, sign(body, [NEW_SECRET]), [OLD_SECRET, NEW_SECRET])).toMatchObject({ kind: "event" });
  });

  it.each([
    ["another body", sign(`${body} `, [NEW_SECRET])],
    ["another secret", sign(body, [OLD_SECRET])],
    [
      "another time than the one it names",
      { ...sign(body, [NEW_SECRET]), "omise-signature-timestamp": `${NOW_SECONDS + 1}` },
    ],
    ["no time", { "omise-signature": sign(body, [NEW_SECRET])["omise-signature"] ?? "" }],
    ["no signature", { "omise-signature-timestamp": `${NOW_SECONDS}` }],
    ["a time that is no number", sign(body, [NEW_SECRET], "soon")],
    ["half a signature", { ...sign(body, [NEW_SECRET]), "omise-signature": "00".repeat(16) }],
    ["nothing", {}],
  ])("is refused over %s", (_, headers) => {
    expect(parse(body, headers, [NEW_SECRET])).toEqual({ kind: "bad_signature" });
  });

  it.each([
    [-301, "bad_signature"],
    [-300, "event"],
    [300, "event"],
    [301, "bad_signature"],
  ])("holds for five minutes around now (%s s)", (offset, kind) => {
    const headers = sign(body, [NEW_SECRET], (NOW_SECONDS + offset).toString());
    expect(parse(body, headers, [NEW_SECRET]).kind).toBe(kind);
  });

  it("is not asked for without a secret: the event is a hint then", () => {
    expect(parse(body, {}, [])).toMatchObject({ kind: "event" });
    expect(offline([]).confirmsByFetching).toBe(true);
  });

  it("stands in the two headers that are kept with an event", () => {
    expect(offline([]).signatureHeaders).toEqual(["omise-signature", "omise-signature-timestamp"]);
  });

  it("is not looked at when an event is read again, however old it is", () => {
    expect(offline([NEW_SECRET]).readEvent(Buffer.from(body))).toEqual(parse(body, {}, []));
    expect(offline([NEW_SECRET]).readEvent(Buffer.from("{"))).toMatchObject({ kind: "unreadable" });
  });

  it.each(["", "====", "not base64!", "abc"])("refuses to start with a secret that is not base64 (%j)", (secret) => {
    expect(() => parse(body, {}, [secret])).toThrow(UserError);
  });
});

describe("any bytes and headers", () => {
  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(json)),
    fc.record({ object: fc.constant("event"), id: fc.constantFrom("evnt_1", "", "a b"), livemode: fc.boolean(), key: fc.constantFrom("charge.complete", "charge.create", "refund.create", "dispute.close", "x"), data: fc.oneof(fc.jsonValue(), fc.record({ id: fc.constant("chrg_1"), amount: fc.oneof(fc.nat(), fc.jsonValue()), currency: fc.constantFrom("THB", "thb", 5), status: fc.string(), charge: fc.oneof(fc.constant("chrg_2"), fc.jsonValue()) })) }).map((event) => Buffer.from(JSON.stringify(event))),
  ); // prettier-ignore
  const someHeader = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9a-f]{64}(,[0-9a-f]{64})?$/u),
    fc.constantFrom("", "0", `${NOW_SECONDS}`, `${NOW_SECONDS + 299}`),
  );

  it("are never taken with a signature that no secret made, and never crash anything", () => {
    fc.assert(
      fc.property(someBytes, someHeader, someHeader, (body, signature, timestamp) => {
        const headers = { "omise-signature": signature, "omise-signature-timestamp": timestamp };
        expect(parse(body, headers, [OLD_SECRET, NEW_SECRET])).toEqual({ kind: "bad_signature" });
      }),
      { numRuns: 500 },
    );
  });

  it("are read or told to be unreadable when they are signed", () => {
    fc.assert(
      fc.property(someBytes, (body) => {
        expect(["event", "unreadable"]).toContain(parse(body, sign(body, [NEW_SECRET]), [NEW_SECRET]).kind);
      }),
      { numRuns: 500 },
    );
  });

  it("are refused when one byte of what was signed has changed", () => {
    const body = Buffer.from(anEvent());
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const changed = Buffer.from(body);
        changed[position] = (changed[position] ?? 0) ^ change;
        expect(parse(changed, sign(body, [NEW_SECRET]), [NEW_SECRET])).toEqual({ kind: "bad_signature" });
      }),
    );
  });
});
