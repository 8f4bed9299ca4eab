/** The secrets and certificates of a connection, read from their files again whenever those may have changed. */
import { readFile, stat } from "node:fs/promises";
import { messageOf, UpstreamError } from "../../errors.ts";
import type { RestToken, SlurmrestdOptions } from "./options.ts";

/** What `https.Agent` takes. */
export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the token; it may stand behind `SLURM_JWT=`, as `scontrol token` prints it.
 * @returns null when none is configured.
 * @throws UpstreamError when its file cannot be read or holds no token.
 */
export async function readToken(token: RestToken | null): Promise<string | null> {
  if (token === null) return null;
  const text = token.kind === "value" ? token.value : await readText(token.path);
  const value = text.trim().replace(/^SLURM_JWT=/u, "").trim(); // prettier-ignore
  if (value === "") throw new UpstreamError(`The token for slurmrestd is empty; set ${tokenVariable(token)}.`);
  // A header cannot hold it, and node's own complaint would print it.
  if (!/^[\x21-\x7e]+$/u.test(value)) {
    throw new UpstreamError(`The token for slurmrestd (${tokenVariable(token)}) holds characters that no token has.`);
  }
  return value;
}

/** Which variable a message about the token should name. */
export function tokenVariable(token: RestToken | null): string {
  return token?.kind === "file" ? `SLURMRESTD_TOKEN_FILE, ${token.path}` : "SLURMRESTD_TOKEN";
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UpstreamError(
      `The token file for slurmrestd (SLURMRESTD_TOKEN_FILE) cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

type TlsPaths = Pick<SlurmrestdOptions, "caPath" | "clientCertPath" | "clientKeyPath">;

/** What tells one state of the certificate files from the next: size, time and place of each. */
export async function tlsFingerprint(paths: TlsPaths): Promise<string> {
  const marks: string[] = [];
  for (const [path, variable] of pathsWithVariables(paths)) {
    marks.push(path === null ? "" : await fingerprint(path, variable));
  }
  return marks.join("|");
}

/** Reads the certificate files. @throws UpstreamError naming the variable of a file that cannot be read. */
export async function readTlsFiles(paths: TlsPaths): Promise<TlsFiles> {
  const [ca, cert, key] = await Promise.all(
    pathsWithVariables(paths).map(async ([path, variable]) => (path === null ? null : await readPem(path, variable))),
  );
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function pathsWithVariables(paths: TlsPaths): readonly (readonly [string | null, string])[] {
  return [
    [paths.caPath, "SLURMRESTD_CA"],
    [paths.clientCertPath, "SLURMRESTD_CLIENT_CERT"],
    [paths.clientKeyPath, "SLURMRESTD_CLIENT_KEY"],
  ];
}

async function fingerprint(path: string, variable: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size}:${mtimeMs}:${ino}`;
  } catch (error) {
    throw unreadable(variable, error);
  }
}

async function readPem(path: string, variable: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(variable, error);
  }
}

function unreadable(variable: string, error: unknown): UpstreamError {
  return new UpstreamError(`The file of ${variable} for slurmrestd cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}
