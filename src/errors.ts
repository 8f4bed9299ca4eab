/**
 * The one family of errors. Anything thrown that is not one of these is a bug: it is logged with
 * the request id and shown to nobody.
 */

/** The caller asked for something that cannot be done; the message says what was wrong and what is accepted. */
export class UserError extends Error {
  override readonly name: string = "UserError";
  /** HTTP status that fits, 400 to 499. */
  readonly status: number;

  constructor(message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status ?? 400;
  }
}

/** The request was fine, but the state it was made for has changed (another tab, another replica). */
export class ConflictError extends UserError {
  override readonly name: string = "ConflictError";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { status: 409, cause: options.cause });
  }
}

/** A system we depend on (Slurm, a payment provider, the database) failed or answered nonsense. */
export class UpstreamError extends Error {
  override readonly name: string = "UpstreamError";

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
  }
}

/** Text of anything that was thrown, for a log line or a command's error output. */
export function messageOf(error: unknown): string {
  // Node's error of a host with several addresses says nothing itself.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  // Libraries also throw and emit plain objects with a message.
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  return hasMessage && typeof error.message === "string" ? error.message : String(error);
}
