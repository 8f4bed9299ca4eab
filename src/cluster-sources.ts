import type { ClusterConfig, SacctConfig, SlurmrestdConfig } from "./config-slurm.ts";
import { slurmrestdSource } from "./slurm/rest/slurmrestd-source.ts";
import { sacctSource } from "./slurm/sacct/sacct-source.ts";
import { sreportUsage } from "./slurm/sacct/sreport.ts";
import { SACCT_TIMEOUTS, type SacctOptions } from "./slurm/sacct/tools.ts";
import type { SreportUsage } from "./usage/reconcile/sources.ts";
import type { ClusterSetup, LiveSource } from "./usage/sync/clusters.ts";

/** How each configured cluster is read. Opens and asks nothing. */
export function clusterSetups(clusters: readonly ClusterConfig[]): readonly ClusterSetup[] {
  return clusters.map((cluster) => ({
    configuredName: cluster.name,
    live: remembered((name) => liveSources(cluster, name)),
    sreport: cluster.sacct === null ? null : sreportOf(cluster.sacct),
    dropFolder: cluster.dropFolder,
    fallbackFile: cluster.fallbackFile,
  }));
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

/** slurmrestd before sacct. */
function liveSources({ slurmrestd, sacct }: ClusterConfig, name: string | null): readonly LiveSource[] {
  return [
    ...(slurmrestd === null ? [] : [restSource(slurmrestd, name)]),
    ...(sacct === null ? [] : [commandSource(sacct, name)]),
  ];
}

function restSource(rest: SlurmrestdConfig, name: string | null): LiveSource {
  return { kind: "slurmrestd", address: rest.url, source: slurmrestdSource({ ...rest, cluster: name }) };
}

function commandSource(sacct: SacctConfig, name: string | null): LiveSource {
  return { kind: "sacct", address: sacct.path, source: sacctSource(commandOptions(sacct, name)) };
}

function commandOptions(sacct: SacctConfig, cluster: string | null): SacctOptions {
  return { sacctPath: sacct.path, slurmConf: sacct.slurmConf, cluster, timeouts: SACCT_TIMEOUTS };
}

function sreportOf(sacct: SacctConfig): (name: string) => SreportUsage {
  return (name) => (window, signal) => sreportUsage(commandOptions(sacct, name), window, signal);
}
