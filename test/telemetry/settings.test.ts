import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { trustsPeer } from "../../src/telemetry/trusted.ts";

const SRC = join(import.meta.dirname, "../../src");

describe("the variables of OpenTelemetry", () => {
  it("that are not set mean no traces", () => {
    expect(loadConfig({}).telemetry).toBeNull();
  });

  it("name the collector, what is sent along, and how much is kept", () => {
    const { telemetry } = loadConfig({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20abc, x-scope = a",
      OTEL_SERVICE_NAME: "billing",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
    });
    expect(telemetry).toEqual({
      endpoint: "http://collector:4318",
      headers: { authorization: "Basic abc", "x-scope": "a" },
      serviceName: "billing",
      sampleRatio: 0.25,
    });
  });

  it("that cannot be used are all named, and never their values", () => {
    const load = () =>
      loadConfig({
        OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
        OTEL_EXPORTER_OTLP_HEADERS: "planted",
        OTEL_TRACES_SAMPLER_ARG: "half",
      });
    expect(load).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT[^]*OTEL_EXPORTER_OTLP_HEADERS[^]*OTEL_TRACES_SAMPLER_ARG/u);
    expect(load).not.toThrow(/planted/u);
  });
});

describe("proxies that may say where a trace began", () => {
  it.each([
    [false, "127.0.0.1", false],
    [0, "127.0.0.1", false],
    [1, "203.0.113.7", true],
    [true, "203.0.113.7", true],
    ["loopback", "127.0.0.1", true],
    ["loopback", "::1", true],
    ["loopback", "::ffff:127.0.0.1", true],
    ["loopback", "203.0.113.7", false],
    ["uniquelocal", "192.168.3.4", true],
    ["10.0.0.0/8, 203.0.113.7", "203.0.113.7", true],
    ["10.0.0.0/8, 203.0.113.7", "203.0.113.8", false],
    ["10.0.0.0/8", undefined, false],
  ])("TRUST_PROXY %s and %s: %s", (trust, address, expected) => {
    expect(trustsPeer(trust)(address)).toBe(expected);
  });
});

it("without a collector nothing of OpenTelemetry is loaded: one file asks for it, and only when it is called for", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/u.test(file));
  const using = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(join(SRC, file), "utf8")));
  expect(using(/from "@opentelemetry/u).toSorted()).toEqual(["telemetry/otlp.ts", "telemetry/quiet-tasks.ts"]);
  expect(using(/from "[^"]*telemetry\/otlp\.ts"|from "[^"]*quiet-tasks\.ts"/u)).toEqual(["telemetry/otlp.ts"]);
  expect(using(/await import\("[^"]*telemetry\/otlp\.ts"\)/u)).toEqual(["services.ts"]);
});
