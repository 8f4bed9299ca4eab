import pino, { type DestinationStream, type Logger } from "pino";
import type { Scrub } from "./telemetry/secrets.ts";

export type { Logger };

/** Names whose values never reach a log line, wherever they stand in it. */
const SECRET_NAMES = [
  "password",
  "token",
  "secret",
  "authorization",
  "cookie",
  "csrf_token",
  "set-cookie",
  "x-csrftoken",
  "x-slurm-user-token",
  "secretKey",
  "databaseUrl",
  "connectionString",
];
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

export interface LogOptions {
  readonly level: string;
  readonly destination?: "stdout" | "stderr" | DestinationStream;
  /** Takes secrets out of finished lines: others' error messages may quote what we sent them. */
  readonly scrub?: Scrub;
  /** What every line says that is written now, such as the trace it belongs to. */
  readonly context?: () => Readonly<Record<string, string>>;
}

/** The one logger: JSON lines on stdout (or stderr for commands, whose stdout is data). */
export function createLogger({ level, destination = "stdout", scrub, context }: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFacts },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: "[redacted]" },
      ...(scrub !== undefined && { hooks: { streamWrite: scrub } }),
      ...(context !== undefined && { mixin: context }),
    },
    typeof destination === "string"
      ? pino.destination({ dest: destination === "stderr" ? 2 : 1, sync: true })
      : destination,
  );
}

/** What is worth knowing of an error; libraries hang whole connections, with their settings, onto theirs. */
function errorFacts(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    type: error.name,
    message: error.message,
    code: "code" in error ? error.code : undefined,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : errorFacts(error.cause),
  };
}
