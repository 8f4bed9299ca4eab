/** The way to Slurm: encrypted, with secrets that are not about to end. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import { z } from "zod";
import type { SlurmrestdConfig } from "../config-slurm.ts";
import { messageOf } from "../errors.ts";
import { parseRestAddress } from "../slurm/rest/address.ts";
import { readTlsFiles, readToken } from "../slurm/rest/credentials.ts";
import { fail, ok, skipped, together, warn, type Outcome } from "./outcome.ts";
import { grave, type Check, type Setup } from "./setup.ts";
import { certificateOutcome } from "./site.ts";

const PATIENCE_MS = 5_000;
const HOUR_MS = 3_600_000;

/** Looks at each slurmrestd there is. */
function onEach(look: (setup: Setup, rest: SlurmrestdConfig) => Promise<Outcome>): Check["run"] {
  return async (setup) => {
    const all = setup.config.slurm.clusters.flatMap(({ slurmrestd }) => (slurmrestd === null ? [] : [slurmrestd]));
    if (all.length === 0) return skipped("no slurmrestd is configured");
    return together(await Promise.all(all.map((rest) => look(setup, rest))));
  };
}

export const slurmTls: Check = {
  id: "slurm-tls",
  title: "Slurm is asked over TLS",
  run: onEach(async (setup, rest) => {
    const address = parseRestAddress(rest.url);
    if (address.socketPath !== null) return ok(`${address.label} is a socket on this machine`);
    if (!address.isTls) {
      const isHere = ["localhost", "127.0.0.1", "::1"].includes(address.host);
      return isHere ? ok(`${address.label} is on this machine`) : grave(setup, `${address.label} is plain HTTP: the token can be read on its way`, "put a proxy with TLS before slurmrestd; see docs/slurm.md"); // prettier-ignore
    }
    try {
      return certificateOutcome(setup, `the certificate of ${address.label}`, await endOfServer(rest));
    } catch (error) {
      return fail(
        `${address.label}: ${messageOf(error)}`,
        "check SLURMRESTD_CA, the name in the certificate, and that the server runs",
      );
    }
  }),
};

/** When the server's certificate ends, once it was verified. */
async function endOfServer(rest: SlurmrestdConfig): Promise<Date> {
  const { host, port } = parseRestAddress(rest.url);
  const files = await readTlsFiles(rest);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: host, ...files, timeout: PATIENCE_MS }, () => {
      resolve(new Date(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer within 5 seconds")));
    socket.on("error", reject);
  });
}

export const slurmToken: Check = {
  id: "slurm-token",
  title: "Tokens for Slurm are rotated, and not about to end",
  run: onEach(async ({ clock }, rest) => {
    if (rest.token === null) return skipped("no token is used");
    const token = await readToken(rest.token);
    const expiry = expiryOf(token ?? "");
    if (expiry === undefined) return warn("the token is no JWT whose end can be read", "see docs/slurm.md, Tokens");
    if (expiry === null) return warn("the token never ends", "make tokens of hours, renewed by a timer");
    const hours = (expiry.getTime() - clock.now().getTime()) / HOUR_MS;
    if (hours < 0)
      return fail(
        `the token ended ${expiry.toISOString()}`,
        "renew it: scontrol token, written to SLURMRESTD_TOKEN_FILE by a timer",
      );
    if (hours < 0.25)
      return warn(`the token ends in ${(hours * 60).toFixed(0)} minutes`, "is the timer that renews it running?");
    return hours > 24 * 90 ? warn(`the token is good for ${(hours / 24).toFixed(0)} days`, "make tokens of hours, renewed by a timer") : ok(`the token is good for ${hours.toFixed(1)} hours`); // prettier-ignore
  }),
};

/** Null: it never ends; undefined: not to be read. The signature is Slurm's to check. */
function expiryOf(token: string): Date | null | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const parsed = z.object({ exp: z.number().optional() }).safeParse(claims).data;
    if (parsed === undefined) return undefined;
    return parsed.exp === undefined ? null : new Date(parsed.exp * 1000);
  } catch {
    return undefined;
  }
}

export const slurmCertificates: Check = {
  id: "slurm-certificates",
  title: "Certificates for Slurm are rotated, and not about to end",
  run: onEach(async (setup, { clientCertPath, caPath }) => {
    const files = [
      ["SLURMRESTD_CLIENT_CERT", clientCertPath],
      ["SLURMRESTD_CA", caPath],
    ] as const;
    const outcomes = files.flatMap(([name, path]) => (path === null ? [] : [fileOutcome(setup, name, path)]));
    return outcomes.length === 0 ? skipped("no certificate files are used") : together(await Promise.all(outcomes));
  }),
};

async function fileOutcome(setup: Setup, name: string, path: string): Promise<Outcome> {
  try {
    return certificateOutcome(
      setup,
      `the certificate in ${name}`,
      new Date(new X509Certificate(await readFile(path)).validTo),
    );
  } catch (error) {
    return fail(`${name}: ${messageOf(error)}`, "it takes a PEM file that this account can read");
  }
}
