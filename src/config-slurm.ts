import { readFileSync } from "node:fs";
import { CronExpressionParser } from "cron-parser";
import { z } from "zod";
import type { EnvReader } from "./config-reader.ts";
import { messageOf } from "./errors.ts";
import { parseRestAddress } from "./slurm/rest/address.ts";
import { isDay } from "./usage/site-day.ts";

/** Where a token for slurmrestd comes from: given, or a file that is read again whenever it changes. */
export type TokenSource =
  { readonly kind: "value"; readonly value: string } | { readonly kind: "file"; readonly path: string };

export interface SlurmrestdConfig {
  readonly url: string;
  readonly user: string | null;
  readonly token: TokenSource | null;
  /** Null: the newest that both sides know. */
  readonly version: string | null;
  readonly caPath: string | null;
  readonly clientCertPath: string | null;
  readonly clientKeyPath: string | null;
}

export interface SacctConfig {
  readonly path: string;
  /** False where nobody named it: then it is used if there is one in the PATH. */
  readonly isNamed: boolean;
  readonly slurmConf: string | null;
}

/** How one cluster is read: the first of its sources that works is taken. */
export interface ClusterConfig {
  /** Null: asked of the cluster itself. */
  readonly name: string | null;
  readonly slurmrestd: SlurmrestdConfig | null;
  readonly sacct: SacctConfig | null;
  /** A folder in which dumps appear. */
  readonly dropFolder: string | null;
  /** One dump, for when nothing else can be reached. */
  readonly fallbackFile: string | null;
}

export interface SlurmConfig {
  /** Empty: usage comes in by the import command only. */
  readonly clusters: readonly ClusterConfig[];
  readonly sync: {
    /** Null: never by itself. Five fields, in the site's time zone. */
    readonly cron: string | null;
    /** First day that is fetched when a cluster is new; null: 90 days back. */
    readonly fromDay: string | null;
    readonly overlapSeconds: number;
    readonly windowSeconds: number;
  };
  readonly reconcile: {
    readonly cron: string | null;
    /** How many days back the scheduled comparison goes. */
    readonly days: number;
  };
}

/** A name that may stand in an address and on sacct's command line. */
const CLUSTER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
/** Older versions of the REST API know no accounting that could be read. */
const VERSION = /^v0\.0\.(?:3[89]|[4-9]\d)$/u;
const SLURMRESTD_PROTOCOLS = ["http:", "https:", "unix:"] as const;

function isRestAddress(text: string): boolean {
  try {
    parseRestAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads the variables of Slurm; problems go to the reader. */
export function slurmConfig(read: EnvReader): SlurmConfig {
  return {
    clusters: clusters(read),
    sync: {
      cron: cron(read, "SYNC_CRON", "*/10 * * * *"),
      fromDay: day(read, "SYNC_FROM"),
      overlapSeconds: read.integer("SYNC_OVERLAP_HOURS", 6, 1, 24 * 31) * 3_600,
      windowSeconds: read.integer("SYNC_WINDOW_HOURS", 24, 1, 24 * 31) * 3_600,
    },
    reconcile: { cron: cron(read, "RECONCILE_CRON", "30 4 * * *"), days: read.integer("RECONCILE_DAYS", 35, 1, 366) },
  };
}

function clusters(read: EnvReader): readonly ClusterConfig[] {
  const path = read.text("CLUSTERS");
  const single = singleCluster(read);
  if (path === undefined) return single === null ? [] : [single];
  if (single !== null) {
    read.problem("CLUSTERS", "takes the place of the variables for one cluster: unset SLURMRESTD_URL, SACCT_PATH, SLURM_CONF, IMPORT_FOLDER and FALLBACK_CSV"); // prettier-ignore
  }
  return clustersFile(read, path);
}

function singleCluster(read: EnvReader): ClusterConfig | null {
  const url = read.url("SLURMRESTD_URL", SLURMRESTD_PROTOCOLS);
  if (url !== undefined && !isRestAddress(url)) read.problem("SLURMRESTD_URL", "takes unix:/path/to/the.sock, from the root on"); // prettier-ignore
  const sacctPath = read.text("SACCT_PATH");
  const slurmConf = read.text("SLURM_CONF") ?? null;
  const dropFolder = read.text("IMPORT_FOLDER") ?? null;
  const fallbackFile = read.text("FALLBACK_CSV") ?? null;
  const name = read.text("SLURM_CLUSTER") ?? null;
  if (name !== null && !CLUSTER_NAME.test(name)) {
    read.problem("SLURM_CLUSTER", "takes a cluster's name: letters, digits, dot, dash and underscore, 64 at most");
  }
  // With an address of slurmrestd or a slurm.conf somebody means a live cluster; then a sacct in the PATH may help.
  const hasSacct = sacctPath !== undefined || url !== undefined || slurmConf !== null;
  if (url === undefined && !hasSacct && dropFolder === null && fallbackFile === null) return null;
  return {
    name,
    slurmrestd: url === undefined ? null : slurmrestd(read, url),
    sacct: hasSacct
      ? { path: sacctPath ?? "sacct", isNamed: sacctPath !== undefined || url === undefined, slurmConf }
      : null,
    dropFolder,
    fallbackFile,
  };
}

function slurmrestd(read: EnvReader, url: string): SlurmrestdConfig {
  const value = read.text("SLURMRESTD_TOKEN");
  const file = read.text("SLURMRESTD_TOKEN_FILE");
  if (value !== undefined && file !== undefined) {
    read.problem("SLURMRESTD_TOKEN_FILE", "cannot be set together with SLURMRESTD_TOKEN: keep one of the two");
  }
  const version = read.text("SLURMRESTD_VERSION") ?? null;
  if (version !== null && !VERSION.test(version)) {
    read.problem("SLURMRESTD_VERSION", "takes a version of the REST API such as v0.0.40");
  }
  return {
    url,
    user: read.text("SLURMRESTD_USER") ?? null,
    token: tokenSource(value, file),
    version,
    caPath: read.text("SLURMRESTD_CA") ?? null,
    ...clientCertificate(read),
  };
}

function clientCertificate(read: EnvReader): Pick<SlurmrestdConfig, "clientCertPath" | "clientKeyPath"> {
  const clientCertPath = read.text("SLURMRESTD_CLIENT_CERT") ?? null;
  const clientKeyPath = read.text("SLURMRESTD_CLIENT_KEY") ?? null;
  if ((clientCertPath === null) !== (clientKeyPath === null)) {
    read.problem("SLURMRESTD_CLIENT_CERT", "and SLURMRESTD_CLIENT_KEY take two files that belong together: set both");
  }
  return { clientCertPath, clientKeyPath };
}

function tokenSource(value: string | undefined, file: string | undefined): TokenSource | null {
  if (file !== undefined) return { kind: "file", path: file };
  return value === undefined ? null : { kind: "value", value };
}

const clusterSchema = z
  .strictObject({
    name: z.string().regex(CLUSTER_NAME, "takes letters, digits, dot, dash and underscore, 64 at most"),
    slurmrestd: z
      .strictObject({
        url: z.string().refine(isRestAddress, "takes a URL that starts with http://, https:// or unix:/"),
        user: z.string().optional(),
        token_env: z.string().optional(),
        token_file: z.string().optional(),
        version: z.string().regex(VERSION, "takes a version of the REST API such as v0.0.40").optional(),
        ca: z.string().optional(),
        client_cert: z.string().optional(),
        client_key: z.string().optional(),
      })
      .optional(),
    sacct: z.strictObject({ path: z.string().default("sacct"), slurm_conf: z.string().optional() }).optional(),
    folder: z.string().optional(),
    file: z.string().optional(),
  })
  .refine(
    ({ slurmrestd: rest, sacct, folder, file }) => [rest, sacct, folder, file].some((source) => source !== undefined),
    "needs a source: slurmrestd, sacct, folder or file",
  );

const clustersFileSchema = z.strictObject({ clusters: z.array(clusterSchema).min(1) });

function clustersFile(read: EnvReader, path: string): readonly ClusterConfig[] {
  const found = readClustersFile(path);
  if (typeof found === "string") {
    read.problem("CLUSTERS", found);
    return [];
  }
  const repeated = found.find((one, at) => found.findIndex(({ name }) => name === one.name) !== at);
  if (repeated !== undefined) read.problem("CLUSTERS", `names the cluster ${repeated.name} more than once in ${path}`);
  return found.map((one): ClusterConfig => ({
    name: one.name,
    slurmrestd:
      one.slurmrestd === undefined
        ? null
        : {
            url: one.slurmrestd.url,
            user: one.slurmrestd.user ?? null,
            token: tokenSource(namedToken(read, one.name, one.slurmrestd.token_env), one.slurmrestd.token_file),
            version: one.slurmrestd.version ?? null,
            caPath: one.slurmrestd.ca ?? null,
            clientCertPath: one.slurmrestd.client_cert ?? null,
            clientKeyPath: one.slurmrestd.client_key ?? null,
          },
    sacct:
      one.sacct === undefined ? null : { path: one.sacct.path, isNamed: true, slurmConf: one.sacct.slurm_conf ?? null },
    dropFolder: one.folder ?? null,
    fallbackFile: one.file ?? null,
  }));
}

/** The clusters of the file, or what is wrong with it. */
function readClustersFile(path: string): z.output<typeof clusterSchema>[] | string {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return `takes the path of a JSON file: ${messageOf(error)}`;
  }
  const parsed = clustersFileSchema.safeParse(json);
  if (parsed.success) return parsed.data.clusters;
  const issues = parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "the file"}: ${message}`);
  return `is not right in ${path}: ${issues.join("; ")}`;
}

/** Secrets do not stand in the file: it names the variable that holds one. */
function namedToken(read: EnvReader, cluster: string, variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const token = read.text(variable);
  if (token === undefined) read.problem(variable, `is not set: it holds the token of the cluster ${cluster}`);
  return token;
}

function day(read: EnvReader, name: string): string | null {
  const text = read.text(name);
  if (text === undefined || isDay(text)) return text ?? null;
  read.problem(name, "takes a day written YYYY-MM-DD");
  return null;
}

/** Five fields of cron; `off` switches it off. */
function cron(read: EnvReader, name: string, fallback: string): string | null {
  const text = read.text(name) ?? fallback;
  if (text.toLowerCase() === "off") return null;
  const fields = text.split(/\s+/u);
  if (fields.length === 5 && isCron(text)) return fields.join(" ");
  read.problem(name, 'takes five fields of cron such as "*/10 * * * *", or off');
  return null;
}

function isCron(text: string): boolean {
  try {
    CronExpressionParser.parse(text);
    return true;
  } catch {
    return false;
  }
}
