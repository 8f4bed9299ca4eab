import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { runCli, type CliResult } from "../cli/run-cli.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(answer: RequestListener): Promise<number> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** No variable is set that any other command would need. */
function check(args: readonly string[], port?: number): Promise<CliResult> {
  return runCli(["healthcheck", ...args], {
    env: port === undefined ? {} : { PORT: String(port), DATABASE_URL: "nonsense" },
  });
}

it("asks /readyz on PORT, and is silent when all is well", async () => {
  let asked: string | undefined;
  const port = await serve((request, response) => {
    asked = request.url;
    response.end("ok");
  });
  expect(await check([], port)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(asked).toBe("/readyz");
});

it("says with exit code 1 what it was answered", async () => {
  const port = await serve((_request, response) => response.writeHead(503).end());
  const result = await check(["--url", `http://127.0.0.1:${port}/readyz`]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("answered 503");
});

it("does not follow a redirect, which is no server that is ready", async () => {
  const port = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());
  expect(await check([], port)).toMatchObject({ code: 1 });
});

it("waits three seconds for a server that says nothing", async () => {
  const port = await serve(() => undefined);
  const result = await check([], port);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("no answer within 3 seconds");
});

it("fails where nobody listens", async () => {
  expect((await check(["--url", "http://127.0.0.1:1/readyz"])).code).toBe(1);
});

it("is called wrongly with exit code 2", async () => {
  expect(await check(["--url", "localhost"])).toMatchObject({ code: 2 });
  expect(await check(["--what"])).toMatchObject({ code: 2 });
});
