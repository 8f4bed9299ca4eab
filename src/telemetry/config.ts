import type { EnvReader } from "../config-reader.ts";

/** Where traces go, by the variables that OpenTelemetry gives them. */
export interface TelemetryConfig {
  /** The collector; `/v1/traces` is added to it. */
  readonly endpoint: string;
  /** Sent along; they hold the collector's key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The part of traces that is kept, from 0 to 1. */
  readonly sampleRatio: number;
}

/** Null where no collector is named. */
export function telemetryConfig(read: EnvReader): TelemetryConfig | null {
  const endpoint = read.url("OTEL_EXPORTER_OTLP_ENDPOINT", ["http:", "https:"]);
  const headers = headersOf(read);
  const sampleRatio = ratio(read);
  if (endpoint === undefined) return null;
  return {
    endpoint: endpoint.replace(/\/+$/u, ""),
    headers,
    serviceName: read.text("OTEL_SERVICE_NAME") ?? "hpc-billing",
    sampleRatio,
  };
}

/** `name=value,name=value`, values percent-encoded. */
function headersOf(read: EnvReader): Readonly<Record<string, string>> {
  const entries = (read.text("OTEL_EXPORTER_OTLP_HEADERS") ?? "").split(",").filter((entry) => entry.trim() !== "");
  const pairs = entries.map((entry): [string, string] => {
    const cut = entry.indexOf("=");
    return [entry.slice(0, Math.max(cut, 0)).trim().toLowerCase(), decoded(entry.slice(cut + 1).trim())];
  });
  if (pairs.some(([name, value]) => !/^[\w-]+$/u.test(name) || !/^[\x20-\x7e]+$/u.test(value))) {
    read.problem("OTEL_EXPORTER_OTLP_HEADERS", "takes name=value, several separated by commas");
    return {};
  }
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ratio(read: EnvReader): number {
  const text = read.text("OTEL_TRACES_SAMPLER_ARG") ?? "1";
  const value = /^(?:0|1|0?\.\d{1,9}|1\.0+|0\.0+)$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  read.problem("OTEL_TRACES_SAMPLER_ARG", "takes the part of traces that is kept, from 0 to 1");
  return 1;
}
