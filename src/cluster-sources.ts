import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import type { ClusterConfig, SacctConfig, SlurmrestdConfig } from "./config-slurm.ts";
import { parseRestAddress } from "./slurm/rest/address.ts";
import { slurmrestdSource } from "./slurm/rest/slurmrestd-source.ts";
import { sacctSource } from "./slurm/sacct/sacct-source.ts";
import { sreportUsage } from "./slurm/sacct/sreport.ts";
import { SACCT_TIMEOUTS, type SacctOptions } from "./slurm/sacct/tools.ts";
import type { SreportUsage } from "./usage/reconcile/sources.ts";
import type { ClusterSetup, LiveSource } from "./usage/sync/clusters.ts";

/** How each configured cluster is read: by slurmrestd before sacct. Opens and asks nothing. */
export function clusterSetups(clusters: readonly ClusterConfig[]): readonly ClusterSetup[] {
  return clusters.map(({ name: configuredName, slurmrestd, sacct: named, dropFolder, fallbackFile }) => {
    const sacct = named === null || named.isNamed || isInPath(named.path) ? named : null;
    return {
      configuredName,
      live: remembered((name) => [
        ...(slurmrestd === null ? [] : [restSource(slurmrestd, name)]),
        ...(sacct === null ? [] : [commandSource(sacct, name)]),
      ]),
      sreport: sacct === null ? null : sreportOf(sacct),
      dropFolder,
      fallbackFile,
    };
  });
}

function isInPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Sources are made once for each name: they keep no connection, but what they have learnt of the other side. */
function remembered(make: (name: string | null) => readonly LiveSource[]): ClusterSetup["live"] {
  const made = new Map<string | null, readonly LiveSource[]>();
  return (name) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
}

function restSource(rest: SlurmrestdConfig, name: string | null): LiveSource {
  return {
    kind: "slurmrestd",
    address: parseRestAddress(rest.url).label,
    source: slurmrestdSource({ ...rest, cluster: name }),
  };
}

function commandSource(sacct: SacctConfig, name: string | null): LiveSource {
  return { kind: "sacct", address: sacct.path, source: sacctSource(commandOptions(sacct, name)) };
}

function commandOptions(sacct: SacctConfig, cluster: string | null): SacctOptions {
  const user = process.getuid?.() === 0 ? null : userInfo().username;
  return { sacctPath: sacct.path, slurmConf: sacct.slurmConf, cluster, user, timeouts: SACCT_TIMEOUTS };
}

function sreportOf(sacct: SacctConfig): (name: string) => SreportUsage {
  return (name) => (window, signal) => sreportUsage(commandOptions(sacct, name), window, signal);
}
