import pino, { type Logger } from "pino";

export type { Logger };

/** Names whose values never reach a log line, wherever they stand in it. */
const SECRET_PATHS = ["password", "token", "secret", "authorization", "cookie", "csrf_token"];

/** The one logger: JSON lines on stdout (or stderr for commands, whose stdout is data). */
export function createLogger(options: { level: string; destination?: "stdout" | "stderr" }): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFacts },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
    },
    pino.destination({ dest: options.destination === "stderr" ? 2 : 1, sync: true }),
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
