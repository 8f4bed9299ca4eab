/** The application itself, started as an operator would. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT, untilReady, type Started, type Workplace } from "./processes.ts";

export const ADMIN_PASSWORD = "an operator's long password";
export const WEBHOOK_SECRET = "webhook secret of the operator";

export interface Application {
  readonly started: Started;
  readonly env: Readonly<Record<string, string>>;
  /** Lines of its log about requests. */
  requests(): RequestLine[];
}

export interface RequestLine {
  readonly requestId: string;
  readonly ip: string;
  readonly path: string;
  readonly status: number;
}

/** `npm start` with its own database in the workplace. */
export async function startApplication(
  place: Workplace,
  port: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Application> {
  const dataDir = join(place.folder, "data");
  mkdirSync(dataDir);
  // PostgreSQL runs under an account of its own when we are root.
  chmodSync(dataDir, 0o711);
  const env = {
    APP_ENV: "production",
    SECRET_KEY: "0123456789abcdef0123456789abcdef",
    PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ADMIN_PASSWORD,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: String(port),
    TRUST_PROXY: "1",
    ...more,
  };
  const started = place.start("app", "npm", ["start", "--silent"], { env });
  await untilReady(started, "the application is ready", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return answer.ok;
  });
  return {
    started,
    env,
    requests: () => started.log().split("\n").flatMap(requestLine),
  };
}

/** Runs one of the application's commands against the same database. */
export async function runCommand(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  stdin = "",
): Promise<string> {
  const child = spawn(join(ROOT, "node_modules/.bin/node"), [join(ROOT, "bin/hpc-billing.mjs"), ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`hpc-billing ${args.join(" ")} ended with ${String(code)}: ${stderr}`);
  return stdout;
}

function requestLine(line: string): RequestLine[] {
  if (!line.startsWith("{")) return [];
  const fields: unknown = JSON.parse(line);
  if (typeof fields !== "object" || fields === null) return [];
  if (!("requestId" in fields && "ip" in fields && "path" in fields && "status" in fields)) return [];
  const { requestId, ip, path, status } = fields;
  return [{ requestId: String(requestId), ip: String(ip), path: String(path), status: Number(status) }];
}
