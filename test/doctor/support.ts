import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { loadConfig, type Config } from "../../src/config.ts";
import { makeSetup } from "../../src/doctor/make-setup.ts";
import type { Check, Setup } from "../../src/doctor/setup.ts";
import type { Outcome } from "../../src/doctor/outcome.ts";
import { ROOT } from "../cli/run-cli.ts";
import { TestClock } from "../support/context.ts";

export const STRONG = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";
export const TLS = join(ROOT, "test/data/tls");

interface Answered {
  readonly status: number;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

type Answer = (request: IncomingMessage, body: Buffer) => Answered | Promise<Answered>;

/** A server that answers as the test says, until the test ends. Gives its port. */
export async function serve(answer: Answer, tls?: { readonly cert: string; readonly key: string }): Promise<number> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const end = async (): Promise<void> => {
      const { status, headers, body } = await answer(request, Buffer.concat(chunks));
      response.writeHead(status, headers).end(body);
    };
    request.on("end", () => void end());
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tlsFiles(tls), listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function tlsFiles({ cert, key }: { cert: string; key: string }): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(join(TLS, cert)), key: readFileSync(join(TLS, key)) };
}

/** A configuration of production with nothing to complain about. */
export function production(env: Readonly<Record<string, string>> = {}): Config {
  return loadConfig({
    APP_ENV: "production",
    SECRET_KEY: STRONG,
    PAYMENT_WEBHOOK_SECRET: STRONG.split("").toReversed().join(""),
    AUDIT_HMAC_KEYRING: `2026:${STRONG.slice(7)}abcdefg`,
    SITE_BASE_URL: "http://127.0.0.1:1",
    ...env,
  });
}

/** An installation without a database, unless one is given. */
export function setupOf(config: Config, overrides: Partial<Setup> = {}): Setup {
  const given = {
    config,
    clock: new TestClock(new Date().toISOString()),
    database: null,
    databaseProblem: "it is away",
    backupFolder: "/nonexistent",
    backupHours: 26,
    ...overrides,
  };
  return { ...makeSetup(given), ...overrides };
}

export async function statusOf(check: Check, setup: Setup): Promise<[Outcome["status"], string]> {
  const { status, found } = await check.run(setup);
  return [status, found];
}

/** A status, whatever was found. */
export function is(status: Outcome["status"]): unknown[] {
  return [status, expect.any(String)];
}
