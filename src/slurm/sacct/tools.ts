/** Slurm's command line programs: where they are, what they may see of us, and how a short answer is read. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, UpstreamError, UserError } from "../../errors.ts";
import { outputOf, type Command } from "./command.ts";

export interface SacctTimeouts {
  /** How long sacct or sreport may write nothing: slurmdbd answers only when it has read the whole window. */
  readonly readSeconds: number;
  /** The same for short questions. */
  readonly askSeconds: number;
  /** From SIGTERM to SIGKILL. */
  readonly killSeconds: number;
}

export const SACCT_TIMEOUTS: SacctTimeouts = { readSeconds: 600, askSeconds: 75, killSeconds: 5 };

export interface SacctOptions {
  /** A path, or a name that is looked for in the PATH; sacctmgr and sreport are taken from the same place. */
  readonly sacctPath: string;
  /** Null: where Slurm's programs look by themselves. */
  readonly slurmConf: string | null;
  /** Null: the cluster that slurm.conf names. */
  readonly cluster: string | null;
  /** Who runs the programs, where that may decide what Slurm shows; null for root, from whom it hides nothing. */
  readonly user: string | null;
  readonly timeouts: SacctTimeouts;
}

export interface Question {
  readonly tool: "sacct" | "sacctmgr" | "sreport";
  readonly args: readonly string[];
  readonly purpose: string;
  readonly silenceSeconds: number;
}

const CLUSTER_NAME = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/u;
const MAX_ANSWER_BYTES = 256 * 1_048_576;

/** @throws UserError when the cluster's name could be taken for anything but a name. */
export function requireClusterName(cluster: string | null): void {
  if (cluster === null || CLUSTER_NAME.test(cluster)) return;
  throw new UserError(
    `${JSON.stringify(cluster)} is no name of a cluster; it takes letters, digits, dot, dash and underscore.`,
  );
}

/**
 * Asks one of the programs; see `outputOf` for what it throws.
 * @throws UpstreamError also when slurm.conf cannot be read: the programs would retry for a minute.
 */
export async function* ask(options: SacctOptions, question: Question, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await requireSlurmConf(options.slurmConf);
  yield* outputOf(commandOf(options, question, signal));
}

/** The lines of a short answer. @throws UpstreamError as `ask`, and when the answer is larger than any should be. */
export async function askForLines(
  options: SacctOptions,
  question: Question,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of ask(options, question, signal)) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new UpstreamError(`${question.tool} wrote more than ${MAX_ANSWER_BYTES} bytes when ${question.purpose}.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces)
    .toString("utf8")
    .split(/\r?\n/u)
    .filter((line) => line !== "");
}

/** A time as Slurm's programs read it, given TZ=UTC: `2026-11-24T21:31:53`. */
export function slurmTime(secondsSinceEpoch: number): string {
  return new Date(secondsSinceEpoch * 1_000).toISOString().slice(0, 19);
}

async function requireSlurmConf(slurmConf: string | null): Promise<void> {
  if (slurmConf === null) return;
  try {
    await access(slurmConf, constants.R_OK);
  } catch (error) {
    throw new UpstreamError(`Cannot read the slurm.conf (SLURM_CONF) for sacct: ${messageOf(error)}`, { cause: error });
  }
}

function commandOf(options: SacctOptions, question: Question, signal: AbortSignal): Command {
  return {
    path: question.tool === "sacct" ? options.sacctPath : besideSacct(options.sacctPath, question.tool),
    args: question.args,
    env: environment(options.slurmConf),
    purpose: question.purpose,
    signal,
    silenceSeconds: question.silenceSeconds,
    killSeconds: options.timeouts.killSeconds,
  };
}

function besideSacct(sacctPath: string, tool: string): string {
  return sacctPath.includes("/") ? join(dirname(sacctPath), tool) : tool;
}

/**
 * Only what is listed: SLURM_TIME_FORMAT, SACCT_FORMAT, SACCT_FEDERATION and their like change what the programs print.
 * SLURM_BITSTR_LEN stays at its default, with which the id of a waiting job array is cut at 64 characters.
 */
function environment(slurmConf: string | null): Record<string, string> {
  const base = { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", TZ: "UTC", LC_ALL: "C.UTF-8" };
  return slurmConf === null ? base : { ...base, SLURM_CONF: slurmConf };
}
