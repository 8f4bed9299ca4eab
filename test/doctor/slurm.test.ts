import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as slurm from "../../src/doctor/slurm.ts";
import { is, production, serve, setupOf, statusOf, TLS } from "./support.ts";

const at = (env: Record<string, string>) => setupOf(production(env));

function token(claims: object): string {
  return ["{}", JSON.stringify(claims), "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

describe("the way to Slurm", () => {
  it("is skipped where there is none", async () => {
    for (const check of [slurm.slurmTls, slurm.slurmToken, slurm.slurmCertificates])
      expect(await statusOf(check, at({}))).toEqual(is("skipped"));
  });

  it("is right over a socket, on this machine, and over TLS that verifies", async () => {
    expect(await statusOf(slurm.slurmTls, at({ SLURMRESTD_URL: "unix:/run/slurmrestd.sock" }))).toEqual(is("ok"));
    expect(await statusOf(slurm.slurmTls, at({ SLURMRESTD_URL: "http://127.0.0.1:6820" }))).toEqual(is("ok"));
    const port = await serve(() => ({ status: 200 }), { cert: "server.pem", key: "server-key.pem" });
    const env = { SLURMRESTD_URL: `https://localhost:${port}`, SLURMRESTD_CA: join(TLS, "ca.pem") };
    expect(await statusOf(slurm.slurmTls, at(env))).toEqual(is("ok"));
  });

  it("fails over plain HTTP, with a certificate of somebody else, with one that has ended, and where nobody listens", async () => {
    expect(await statusOf(slurm.slurmTls, at({ SLURMRESTD_URL: "http://slurm.example.org:6820" }))).toEqual(is("fail")); // prettier-ignore
    const good = await serve(() => ({ status: 200 }), { cert: "server.pem", key: "server-key.pem" });
    const other = { SLURMRESTD_URL: `https://localhost:${good}`, SLURMRESTD_CA: join(TLS, "other-ca.pem") };
    expect(await statusOf(slurm.slurmTls, at(other))).toEqual(is("fail"));
    const old = await serve(() => ({ status: 200 }), { cert: "expired.pem", key: "expired-key.pem" });
    const expired = { SLURMRESTD_URL: `https://localhost:${old}`, SLURMRESTD_CA: join(TLS, "ca.pem") };
    expect(await statusOf(slurm.slurmTls, at(expired))).toMatchObject(["fail", expect.stringContaining("expired")]);
    expect(await statusOf(slurm.slurmTls, at({ SLURMRESTD_URL: "https://localhost:1" }))).toEqual(is("fail"));
  });
});

describe("the token", () => {
  const inHours = (hours: number): number => Math.floor(Date.now() / 1000 + hours * 3_600);
  const look = (text: string) => statusOf(slurm.slurmToken, at({ SLURMRESTD_URL: "unix:/x", SLURMRESTD_TOKEN: text }));

  it("of a few hours is right", async () => {
    expect(await look(token({ exp: inHours(8) }))).toMatchObject(["ok", "the token is good for 8.0 hours"]);
  });

  it("that has ended fails", async () => {
    expect(await look(token({ exp: inHours(-1) }))).toEqual(is("fail"));
  });

  it("that is about to end, never ends, is good for a year or is none is named", async () => {
    for (const text of [token({ exp: inHours(0.1) }), token({}), token({ exp: inHours(9_000) }), "opaque"])
      expect(await look(text)).toEqual(is("warn"));
  });
});

describe("certificate files", () => {
  const look = (cert: string, key: string) =>
    statusOf(
      slurm.slurmCertificates,
      at({ SLURMRESTD_URL: "unix:/x", SLURMRESTD_CLIENT_CERT: join(TLS, cert), SLURMRESTD_CLIENT_KEY: join(TLS, key) }),
    );

  it("that are good for long are right", async () => {
    expect(await look("client.pem", "client-key.pem")).toEqual(is("ok"));
  });

  it("that have ended or are missing fail", async () => {
    expect(await look("expired.pem", "expired-key.pem")).toEqual(is("fail"));
    expect(await look("missing.pem", "missing-key.pem")).toEqual(is("fail"));
  });
});
