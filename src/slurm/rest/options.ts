/** What `slurmrestdSource` is told, and the limits it keeps to. */

/** Where a token comes from: given, or a file that is read again for every request. */
export type RestToken =
  { readonly kind: "value"; readonly value: string } | { readonly kind: "file"; readonly path: string };

export interface RestTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  /** Until the answer's first byte: slurmrestd gathers the whole answer before it sends any of it. */
  readonly answerMs: number;
  /** Between two pieces of the answer. */
  readonly idleMs: number;
}

export interface RestLimits {
  /** Most bytes of one answer. */
  readonly maxAnswerBytes: number;
  /** Most bytes of one job with its steps, and of an answer that is read as a whole. */
  readonly maxPartBytes: number;
}

export interface SlurmrestdOptions {
  /** `http://host:6820`, `https://…`, `unix:/path/to.sock` or `unix:///path/to.sock`. */
  readonly url: string;
  readonly user: string | null;
  readonly token: RestToken | null;
  /** `v0.0.40`; null: the newest that both sides know. */
  readonly version: string | null;
  readonly caPath: string | null;
  readonly clientCertPath: string | null;
  readonly clientKeyPath: string | null;
  /** Only this cluster's jobs and accounts; null: of all that the accounting knows. */
  readonly cluster: string | null;
  readonly timeouts?: Partial<RestTimeouts>;
  readonly limits?: Partial<RestLimits>;
}

export const DEFAULT_TIMEOUTS: RestTimeouts = { connectMs: 10_000, answerMs: 300_000, idleMs: 60_000 };

const MIB = 1_048_576;
export const DEFAULT_LIMITS: RestLimits = { maxAnswerBytes: 16_384 * MIB, maxPartBytes: 256 * MIB };
