/** Traces over OTLP/HTTP. Loaded only where OTEL_EXPORTER_OTLP_ENDPOINT is set. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import type { TelemetryConfig } from "./config.ts";
import { watchHttpClients } from "./http-client.ts";
import { watchHttpServer, type ServerSpans } from "./http-server.ts";
import { QuietTasks } from "./quiet-tasks.ts";
import type { Scrub } from "./secrets.ts";
import { kindOf, type Attributes, type OpenSpan, type SpanOptions, type Tracing } from "./tracing.ts";
import { trustsPeer } from "./trusted.ts";

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

const SEND_EVERY_MS = 5_000;
const EXPORT_TIMEOUT_MS = 5_000;
/** At the end of the process. */
const FLUSH_MS = 3_000;

export interface TracingOptions {
  readonly telemetry: TelemetryConfig;
  readonly trustProxy: boolean | number | string;
  /** What runs was built from this; undefined where nobody says. */
  readonly revision: string | undefined;
  readonly appEnv: string;
  readonly scrub: Scrub;
  /** How long traces are gathered before they are sent; five seconds unless told. */
  readonly sendEveryMs?: number;
  /** Told once when traces can no longer be sent. They are dropped then; nothing waits for them. */
  readonly onTrouble: (error: unknown) => void;
}

export function startTracing(options: TracingOptions): Tracing {
  const { telemetry } = options;
  const exporter = new OTLPTraceExporter({
    url: `${telemetry.endpoint}/v1/traces`,
    headers: { ...telemetry.headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const sender = new BatchSpanProcessor({
    exporter: toldOfTrouble(exporter, options.onTrouble),
    scheduledDelayMillis: options.sendEveryMs ?? SEND_EVERY_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": telemetry.serviceName,
      ...(options.revision !== undefined && { "service.version": options.revision }),
      "deployment.environment.name": options.appEnv,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(telemetry.sampleRatio) }),
    spanProcessors: [new QuietTasks(sender)],
  });
  const spans = new Spans(provider.getTracer("hpc-billing"), options);
  const stops = [watchHttpServer(spans), watchHttpClients(spans, new URL(telemetry.endpoint).host)];
  spans.onClose = async () => {
    for (const stop of stops) stop();
    // It sends what is left; a collector that hangs does not keep the process.
    await Promise.race([provider.shutdown().catch(() => undefined), sleep(FLUSH_MS, undefined, { ref: false })]);
  };
  return spans;
}

class Spans implements Tracing, ServerSpans {
  onClose: () => Promise<void> = () => Promise.resolve();
  readonly #current = new AsyncLocalStorage<Span>();
  readonly #tracer: Tracer;
  readonly #scrub: Scrub;
  readonly #trusts: (address: string | undefined) => boolean;

  constructor(tracer: Tracer, { scrub, trustProxy }: TracingOptions) {
    this.#tracer = tracer;
    this.#scrub = scrub;
    this.#trusts = trustsPeer(trustProxy);
  }

  async inSpan<T>(name: string, options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    const span = this.#start(name, options, this.#inside());
    const open = this.#opened(span);
    return this.#current.run(span, async () => {
      try {
        return await work(open);
      } catch (error) {
        open.fail(error);
        throw error;
      } finally {
        open.end();
      }
    });
  }

  startWithin(name: string, options: SpanOptions): OpenSpan | undefined {
    if (this.#current.getStore() === undefined) return undefined;
    return this.#opened(this.#start(name, options, this.#inside()));
  }

  enter(request: IncomingMessage, name: string): OpenSpan {
    const remote = this.#trusts(request.socket.remoteAddress)
      ? remoteParent(request.headers["traceparent"])
      : undefined;
    const span = this.#start(name, { kind: "server" }, remote ?? ROOT_CONTEXT);
    this.#current.enterWith(span);
    return this.#opened(span);
  }

  logFields(): Readonly<Record<string, string>> {
    const context = this.#current.getStore()?.spanContext();
    return context === undefined ? {} : { traceId: context.traceId, spanId: context.spanId };
  }

  close(): Promise<void> {
    return this.onClose();
  }

  #inside(): Context {
    const current = this.#current.getStore();
    return current === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, current);
  }

  #start(name: string, { kind, attributes = {} }: SpanOptions, parent: Context): Span {
    return this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: this.#scrubbed(attributes) }, parent);
  }

  #opened(span: Span): OpenSpan {
    return {
      rename: (name) => void span.updateName(name),
      set: (attributes) => void span.setAttributes(this.#scrubbed(attributes)),
      fail: (error) =>
        void span.setAttributes({ "error.type": kindOf(error) }).setStatus({ code: SpanStatusCode.ERROR }),
      end: () => span.end(),
    };
  }

  #scrubbed(attributes: Attributes): Attributes {
    const clean = ([name, value]: readonly [string, string | number]): [string, string | number] => [
      name,
      typeof value === "string" ? this.#scrub(value) : value,
    ];
    return Object.fromEntries(Object.entries(attributes).map(clean));
  }
}

/** W3C Trace Context, section 3.2: version, trace, parent and flags. */
function remoteParent(header: string | readonly string[] | undefined): Context | undefined {
  if (typeof header !== "string") return undefined;
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/u.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/u.test(traceId) || /^0+$/u.test(spanId)) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

function toldOfTrouble(exporter: SpanExporter, onTrouble: (error: unknown) => void): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.error !== undefined;
        if (hasFailed && !isFailing) onTrouble(result.error);
        isFailing = hasFailed;
        done(result);
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
