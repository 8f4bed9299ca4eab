import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UpstreamError } from "../../src/errors.ts";
import { makeRunFolder, type RunFolder } from "../support/run-folder.ts";
import { aRestJob, gather, gatherUntilFailure, never, reading, send, serve, source, TLS, tlsFile, type Handler } from "./server.ts"; // prettier-ignore

const DAY = { from: 1_790_000_000, to: 1_790_086_400 };
const CLUSTERS = { clusters: [{ name: "alpha" }] };
const VERSION = { version: "v0.0.44" } as const;
const answer: Handler = (_, response) => send(response, CLUSTERS);

let folder: RunFolder;
beforeAll(() => {
  folder = makeRunFolder();
});
afterAll(() => folder.remove());

/** Replaces a file as those who rotate secrets do: at once. */
function put(name: string, text: string | Buffer): string {
  const path = join(folder.path, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  return error instanceof Error ? error.message : "";
}

describe("a connection to slurmrestd", () => {
  it("goes over a unix socket", async () => {
    const { url } = await serve(answer, { socketPath: join(folder.path, "rest.sock") });
    expect(await source({ url, ...VERSION }).clusters(never())).toEqual(["alpha"]);
    const missing = source({ url: `unix://${folder.path}/none.sock`, ...VERSION });
    expect(await failureOf(missing.clusters(never()))).toContain("there is no such socket");
  });

  it("goes below the path that a proxy serves it at", async () => {
    const { url, asked } = await serve(answer);
    await source({ url: `${url}/slurm-api/`, ...VERSION }).clusters(never());
    expect(asked).toEqual(["/slurm-api/slurmdb/v0.0.44/clusters/"]);
  });

  it("says when nothing listens", async () => {
    const message = await failureOf(source({ url: "http://127.0.0.1:1", ...VERSION }).clusters(never()));
    expect(message).toContain("slurmrestd at http://127.0.0.1:1: the connection was refused");
  });

  it("never shows a password of the address", async () => {
    const message = await failureOf(source({ url: "http://me:secret@127.0.0.1:1", ...VERSION }).clusters(never()));
    expect(message).not.toContain("secret");
  });

  it("is given up when the caller cancels", async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort(new Error("cancelled by the operator")));
    await expect(source({ url, ...VERSION }).clusters(stop.signal)).rejects.toThrow("cancelled by the operator");
  });

  it("is made anew when the server closed the one that was kept", async () => {
    let answers = 0;
    const { url } = await serve((request, response) => {
      if (++answers === 2) request.socket.destroy();
      else send(response, CLUSTERS);
    });
    const rest = source({ url, ...VERSION });
    await rest.clusters(never());
    expect(await rest.clusters(never())).toEqual(["alpha"]);
  });
});

describe("TLS", () => {
  const tls = { cert: tlsFile("server.pem"), key: tlsFile("server-key.pem") };
  const caPath = join(TLS, "ca.pem");

  it("trusts the authority that is configured, and reads its file again when it changes", async () => {
    const { url } = await serve(answer, { tls });
    const changing = put("ca.pem", tlsFile("other-ca.pem"));
    const rest = source({ url, ...VERSION, caPath: changing });
    const message = await failureOf(rest.clusters(never()));
    expect(message).toContain("not signed by an authority that is trusted here: set SLURMRESTD_CA");
    put("ca.pem", tlsFile("ca.pem"));
    expect(await rest.clusters(never())).toEqual(["alpha"]);
    expect(await failureOf(source({ url, ...VERSION }).clusters(never()))).toContain("SLURMRESTD_CA");
  });

  it("refuses a certificate that has expired", async () => {
    const { url } = await serve(answer, { tls: { cert: tlsFile("expired.pem"), key: tlsFile("expired-key.pem") } });
    expect(await failureOf(source({ url, ...VERSION, caPath }).clusters(never()))).toContain("certificate has expired");
  });

  it("shows a client certificate where one is wanted", async () => {
    const { url } = await serve(answer, { tls: { ...tls, ca: tlsFile("ca.pem"), requestCert: true } });
    const paths = { caPath, clientCertPath: join(TLS, "client.pem"), clientKeyPath: join(TLS, "client-key.pem") };
    expect(await source({ url, ...VERSION, ...paths }).clusters(never())).toEqual(["alpha"]);
    const without = await failureOf(source({ url, ...VERSION, caPath }).clusters(never()));
    expect(without).toMatch(/SLURMRESTD_CLIENT_CERT|the connection was cut/u);
  });

  it("names the variable of a file that is not there", async () => {
    const rest = source({ url: "https://127.0.0.1:1", ...VERSION, caPath: join(folder.path, "none.pem") });
    expect(await failureOf(rest.clusters(never()))).toContain("SLURMRESTD_CA");
  });

  it("is said to be missing where the server speaks plain HTTP, and the other way round", async () => {
    const plain = await serve(answer);
    const secure = await serve(answer, { tls });
    const wrong = source({ url: plain.url.replace("http:", "https:"), ...VERSION });
    expect(await failureOf(wrong.clusters(never()))).toContain("does not speak TLS");
    const other = source({ url: secure.url.replace("https:", "http:"), ...VERSION });
    expect(await failureOf(other.clusters(never()))).toMatch(/not HTTP|the connection was cut/u);
  });
});

describe("the token", () => {
  const guarded =
    (accepted: () => string, refuse: Handler): Handler =>
    (request, response) => {
      if (request.headers["x-slurm-user-token"] === accepted()) send(response, { ...CLUSTERS, jobs: [aRestJob(1)] });
      else refuse(request, response);
    };
  const refusals: readonly (readonly [string, Handler])[] = [
    ["HTTP 401", (_, response) => void response.writeHead(401).end("Authentication failure")],
    [
      "HTTP 500",
      (_, response) =>
        send(response, { errors: [{ error_number: 1007, error: "Protocol authentication error" }] }, 500),
    ],
    [
      "an error inside of HTTP 200",
      (_, response) =>
        send(response, { errors: [{ error_number: 1007, error: "Protocol authentication error" }], jobs: [] }),
    ],
  ];

  it("and the user go along as headers", async () => {
    const { url } = await serve((request, response) => {
      const { "x-slurm-user-name": user, "x-slurm-user-token": token } = request.headers;
      send(response, { clusters: [{ name: `${String(user)} ${String(token)}` }] });
    });
    const token = { kind: "value", value: " SLURM_JWT=abc.def\n" } as const;
    expect(await source({ url, ...VERSION, token }).clusters(never())).toEqual(["billing abc.def"]);
  });

  it.each(refusals)(
    "that is refused by %s is named, not shown, and never means that there are no jobs",
    async (_, refuse) => {
      const { url } = await serve(guarded(() => "another", refuse));
      const rest = source({ url, ...VERSION });
      for (const failure of [rest.clusters(never()), gather(rest.jobs(DAY, reading()))]) {
        const message = await failureOf(failure);
        expect(message).toContain("refuses the token");
        expect(message).toContain("SLURMRESTD_TOKEN");
        expect(message).not.toContain("good-token");
      }
    },
  );

  it.each(refusals)(
    "is read again from its file, also when it is replaced just then and refused by %s",
    async (_, refuse) => {
      let accepted = "first";
      const path = put("token", "SLURM_JWT=first\n");
      const { url } = await serve(
        guarded(
          () => accepted,
          (request, response) => {
            put("token", accepted);
            refuse(request, response);
          },
        ),
      );
      const rest = source({ url, ...VERSION, token: { kind: "file", path } });
      expect(await rest.clusters(never())).toEqual(["alpha"]);
      accepted = "second";
      expect((await gather(rest.jobs(DAY, reading()))).records).toHaveLength(1);
      accepted = "third";
      put("token", "third");
      expect(await rest.clusters(never())).toEqual(["alpha"]);
    },
  );

  it("that is missing, empty or damaged is named", async () => {
    const messageOf = async (path: string) =>
      await failureOf(source({ url: "http://127.0.0.1:1", token: { kind: "file", path } }).clusters(never()));
    expect(await messageOf(join(folder.path, "none"))).toContain("SLURMRESTD_TOKEN_FILE");
    expect(await messageOf(put("empty", "SLURM_JWT=\n"))).toContain("is empty");
    const damaged = await messageOf(put("damaged", "abc\ndef"));
    expect(damaged).toContain("holds characters that no token has");
    expect(damaged).not.toContain("abc");
  });

  it("is taken out of what the server says", async () => {
    const { url } = await serve((_, response) => send(response, { errors: [{ error: "bad header good-token" }] }, 500));
    const message = await failureOf(source({ url, ...VERSION }).clusters(never()));
    expect(message).toContain("bad header (token)");
  });

  it("of a user without rights is told from one that is refused", async () => {
    const { url } = await serve((_, response) =>
      send(response, { errors: [{ error_number: 2002, error: "Access denied" }] }),
    );
    const message = await failureOf(source({ url, ...VERSION }).clusters(never()));
    expect(message).toContain("SLURMRESTD_USER needs to be an operator");
  });
});

describe("an answer that is not what was asked for", () => {
  const jobsText = JSON.stringify({ jobs: [1, 2, 3].map((id) => aRestJob(id)), errors: [] });
  const cutAt = jobsText.indexOf('{"job_id":3') + 50;
  const one = reading({ jobsPerBatch: 1 });

  it.each([
    ["a web page", 200, "text/html", "<!doctype html><title>Sign in</title>", "looks like a proxy or a login page"],
    ["a web page of an error", 502, "text/html", "<html>Bad gateway</html>", "looks like a proxy or a login page"],
    ["other text", 200, "text/plain", "hello", "the answer is not JSON: hello"],
    ["nothing", 200, "application/json", "", "the answer is empty"],
    ["damaged JSON", 200, "application/json", '{"clusters":[,]}', "not valid JSON"],
    ["an error", 500, "text/plain", "out of\nmemory", "it answered HTTP 500: out of memory"],
    ["a redirect", 302, "text/plain", "", "it redirects elsewhere (HTTP 302)"],
  ])("is refused: %s", async (_, status, type, text, expected) => {
    const { url } = await serve((_, response) => void response.writeHead(status, { "content-type": type }).end(text));
    expect(await failureOf(source({ url, ...VERSION }).clusters(never()))).toContain(expected);
  });

  it.each([
    ["cut by the connection", (length: number) => ({ "content-length": length })],
    ["cut by a server that thinks it was complete", () => ({ "content-length": cutAt })],
  ])("gives the whole jobs before the cut and then fails: %s", async (_, headers) => {
    const { url } = await serve((request, response) => {
      response.writeHead(200, { "content-type": "application/json", ...headers(Buffer.byteLength(jobsText)) });
      response.write(jobsText.slice(0, cutAt), () => request.socket.end());
    });
    const { jobs, error } = await gatherUntilFailure(source({ url, ...VERSION }).jobs(DAY, one));
    expect(jobs).toBe(1);
    expect(error).toMatchObject({
      name: "UpstreamError",
      message: expect.stringMatching(/was cut after|ends in the middle/u),
    });
  });

  it("is given up when it does not begin, and when it stands still", async () => {
    const { url } = await serve(() => undefined);
    const silent = source({ url, ...VERSION, timeouts: { answerMs: 20 } });
    expect(await failureOf(silent.clusters(never()))).toContain("no answer within 0.02 s");
    const slow = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write(jobsText.slice(0, cutAt));
    });
    const { jobs, error } = await gatherUntilFailure(
      source({ url: slow.url, ...VERSION, timeouts: { idleMs: 20 } }).jobs(DAY, one),
    );
    expect(jobs).toBe(1);
    expect(error).toMatchObject({ message: expect.stringContaining(`stood still for 0.02 s after ${cutAt} bytes`) });
  });

  it("is given up when it is larger than allowed", async () => {
    const { url } = await serve((_, response) => void response.end(jobsText));
    const small = source({ url, ...VERSION, limits: { maxAnswerBytes: 1000 } });
    expect((await gatherUntilFailure(small.jobs(DAY, one))).error).toMatchObject({
      message: expect.stringContaining("larger than 1000 bytes: a shorter window is needed"),
    });
    const part = source({ url, ...VERSION, limits: { maxPartBytes: 500 } });
    expect((await gatherUntilFailure(part.jobs(DAY, one))).error).toMatchObject({
      message: expect.stringContaining("one part of the answer is larger than 500 bytes"),
    });
  });
});
