/** Tasks look for work every second. A look that found none is no trace. */
import { SpanKind } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";

/** Of one trace; what is more is passed on at once, for then there was work. */
const MOST_KEPT = 200;

/** Holds the spans of a task's trace back until it ends, and drops them when it neither changed, asked nor failed. */
export class QuietTasks implements SpanProcessor {
  readonly #next: SpanProcessor;
  readonly #held = new Map<string, ReadableSpan[]>();

  constructor(next: SpanProcessor) {
    this.#next = next;
  }

  onStart(...[span, parent]: Parameters<SpanProcessor["onStart"]>): void {
    if (span.parentSpanContext === undefined && span.kind === SpanKind.INTERNAL) {
      this.#held.set(span.spanContext().traceId, []);
    }
    this.#next.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const held = this.#held.get(traceId);
    if (held === undefined) {
      this.#next.onEnd(span);
      return;
    }
    held.push(span);
    if (isEventful(span) || held.length > MOST_KEPT) {
      this.#held.delete(traceId);
      for (const one of held) this.#next.onEnd(one);
    } else if (span.parentSpanContext === undefined) {
      this.#held.delete(traceId);
    }
  }

  forceFlush(): Promise<void> {
    return this.#next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#next.shutdown();
  }
}

function isEventful({ attributes }: ReadableSpan): boolean {
  if (attributes["error.type"] !== undefined || attributes["http.request.method"] !== undefined) return true;
  const operation = attributes["db.operation.name"];
  return typeof operation === "string" && operation !== "SELECT" && Number(attributes["db.response.returned_rows"]) > 0;
}
