import { request as requestPlain } from "node:http";
import { request as requestOverTls } from "node:https";
import { parseArgs } from "node:util";

const PATIENCE_MS = 3_000;

const HELP = `Usage: hpc-billing healthcheck [options]

ask a running server whether it can serve requests; exit code 0 or 1, for HEALTHCHECK of a container image

Options:
  --url <address>  what to ask (default: http://127.0.0.1:PORT/readyz)
  -h, --help       display help for command
`;

/**
 * The command `healthcheck`, without commander and all the other packages: a container engine runs it every few seconds
 * beside the server it asks about. Gives the exit code.
 */
export async function healthcheck(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  let options: { url?: string | undefined; help?: boolean | undefined };
  try {
    ({ values: options } = parseArgs({
      args: [...args],
      options: { url: { type: "string" }, help: { type: "boolean", short: "h" } },
    }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const port = (env["PORT"] ?? "").trim();
  const url = options.url ?? `http://127.0.0.1:${port === "" ? "8000" : port}/readyz`;
  if (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol)) {
    process.stderr.write(`--url takes an address that starts with http:// or https://, not "${url}"\n`);
    return 2;
  }
  const problem = await problemOf(url);
  if (problem === undefined) return 0;
  process.stderr.write(`hpc-billing: ${url}: ${problem}\n`);
  return 1;
}

/** Undefined when the answer is 200. Not `fetch`, which takes longer to load than the question takes. */
function problemOf(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const ask = url.startsWith("https:") ? requestOverTls : requestPlain;
    const request = ask(url, { signal: AbortSignal.timeout(PATIENCE_MS), headers: { connection: "close" } });
    request.on("response", (answer) => {
      resolve(answer.statusCode === 200 ? undefined : `answered ${answer.statusCode ?? "nothing"}`);
      answer.destroy();
    });
    request.on("error", (error) => {
      resolve(error.name === "TimeoutError" || error.name === "AbortError" ? "no answer within 3 seconds" : error.message); // prettier-ignore
    });
    request.end();
  });
}
