/** Which version of the REST API is spoken, and what each can and cannot do. */
import { UpstreamError, UserError } from "../../errors.ts";
import type { SourceLimit } from "../source.ts";
import type { RestClient } from "./client.ts";
import { isObject, valueAt } from "./fields.ts";
import { RestNotFoundError } from "./failure.ts";

/** The 40 of `v0.0.40`. */
export type ApiVersion = number;

/** Versions whose shapes are known; newer ones are read as the newest of these. */
const OLDEST_KNOWN: ApiVersion = 38;
const NEWEST_KNOWN: ApiVersion = 44;
/** How far beyond the known ones is looked, where slurmrestd does not list its versions. */
const NEWEST_PROBED: ApiVersion = 52;

export function versionName(version: ApiVersion): string {
  return `v0.0.${version}`;
}

/** @throws UserError when the text names no version that can be read. */
export function parseVersion(text: string): ApiVersion {
  const digits = /^v?0\.0\.(\d{2,3})$/u.exec(text.trim())?.[1];
  const version = Number(digits ?? 0);
  if (version < OLDEST_KNOWN) {
    throw new UserError(`SLURMRESTD_VERSION takes a version such as v0.0.40, ${versionName(OLDEST_KNOWN)} or newer`);
  }
  return version;
}

/** From v0.0.40 on, a path that names no single thing ends with a slash. */
export function listPath(version: ApiVersion, name: string): string {
  return `/slurmdb/${versionName(version)}/${name}${version >= 40 ? "/" : ""}`;
}

/** What the list of jobs hides in this version. v0.0.39 takes the parameters of v0.0.40, but is not known to heed them. */
export function hidesRuns(version: ApiVersion): boolean {
  return version < 40;
}

export function limitsOf(version: ApiVersion): readonly SourceLimit[] {
  const limits: SourceLimit[] = [];
  if (hidesRuns(version)) limits.push("hides_requeued_runs");
  if (lacksExitCodes(version)) limits.push("no_exit_codes");
  return limits;
}

/** v0.0.38 says SUCCESS and 0 of every job. */
export function lacksExitCodes(version: ApiVersion): boolean {
  return version < 39;
}

/**
 * The newest version that both sides know; where all that slurmrestd speaks is newer, the nearest of those.
 * @throws UpstreamError when there is none.
 */
export async function discoverVersion(client: RestClient, signal: AbortSignal): Promise<ApiVersion> {
  const offered = await listedVersions(client, signal);
  if (offered === null) return await probeVersions(client, signal);
  const version = bestOf(offered);
  if (version !== null) return version;
  const names = offered.length === 0 ? "none" : offered.map(versionName).join(", ");
  throw new UpstreamError(
    `${client.label} speaks no version of the accounting API that can be read here: it offers ${names}; needed is ${versionName(OLDEST_KNOWN)} or newer.`,
  );
}

function bestOf(offered: readonly ApiVersion[]): ApiVersion | null {
  const known = offered.filter((version) => version >= OLDEST_KNOWN && version <= NEWEST_KNOWN);
  if (known.length > 0) return Math.max(...known);
  const newer = offered.filter((version) => version > NEWEST_KNOWN);
  return newer.length > 0 ? Math.min(...newer) : null;
}

/** From slurmrestd's own OpenAPI document; null where it has none. */
async function listedVersions(client: RestClient, signal: AbortSignal): Promise<readonly ApiVersion[] | null> {
  const document = await readUnlessMissing(client, "/openapi/v3", signal);
  const paths = valueAt(document, "paths");
  if (!isObject(paths)) return null;
  const versions = Object.keys(paths).map((path) => /^\/slurmdb\/v0\.0\.(\d+)\/jobs\/?$/u.exec(path)?.[1]);
  return versions.filter((digits) => digits !== undefined).map(Number);
}

async function probeVersions(client: RestClient, signal: AbortSignal): Promise<ApiVersion> {
  const newestFirst = range(OLDEST_KNOWN, NEWEST_KNOWN).reverse();
  for (const version of [...newestFirst, ...range(NEWEST_KNOWN + 1, NEWEST_PROBED)]) {
    if ((await readUnlessMissing(client, listPath(version, "clusters"), signal)) !== undefined) return version;
  }
  throw new UpstreamError(
    `${client.label} knows no version of the accounting API between ${versionName(OLDEST_KNOWN)} and ${versionName(NEWEST_PROBED)}: is accounting (slurmdbd) set up there?`,
  );
}

async function readUnlessMissing(client: RestClient, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await client.read(path, signal);
  } catch (error) {
    if (error instanceof RestNotFoundError) return undefined;
    throw error;
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
