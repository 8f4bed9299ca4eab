/** What traces look like to the rest of the application. Without an exporter nothing below here is loaded or called. */

export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanOptions {
  /** `server`: somebody asked us; `client`: we ask somebody; `internal`: work of our own. */
  readonly kind: "server" | "client" | "internal";
  readonly attributes?: Attributes;
}

/** A piece of work that is measured. Names and attributes never hold values of people or money. */
export interface OpenSpan {
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** Marks it as failed. Only the kind of error is kept: its message may quote values; the log has it. */
  fail(error: unknown): void;
  end(): void;
}

export interface Tracing {
  /** Runs work as a part of what runs now, or as a trace of its own. */
  inSpan<T>(name: string, options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** Begins a span within what runs now; undefined where nothing does. */
  startWithin(name: string, options: SpanOptions): OpenSpan | undefined;
  /** For a log line: the trace that it belongs to. */
  logFields(): Readonly<Record<string, string>>;
  /** Sends what has not been sent yet, for a moment, and ends. */
  close(): Promise<void>;
}

/** The same task, with a trace for each time that it did something. */
export function traced<A extends readonly unknown[], T extends Task<A>>(task: T & Task<A>, tracing: Tracing | null): T {
  if (tracing === null) return task;
  return {
    ...task,
    work: (...args) => tracing.inSpan(`task ${task.name}`, { kind: "internal" }, () => task.work(...args)),
  };
}

interface Task<A extends readonly unknown[]> {
  readonly name: string;
  readonly work: (...args: A) => Promise<void>;
}

/** What an error may be called in a trace. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "error";
  return "code" in error && typeof error.code === "string" && /^\w{1,40}$/u.test(error.code) ? error.code : error.name;
}
