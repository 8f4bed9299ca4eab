/** Writes made-up runs the way `sacct --parsable2 --duplicates` prints them: the job's row, then its steps. */
import type { ClusterProfile } from "./generate-cluster.ts";
import type { MadeUpRun } from "./generate-jobs.ts";

export const HEADER =
  "JobIDRaw|JobID|Cluster|User|Account|Partition|QOS|JobName|State|ExitCode|Submit|Eligible|Start|End|ElapsedRaw|Elapsed|" +
  "TotalCPU|CPUTimeRAW|AllocCPUS|NCPUS|NNodes|ReqMem|ReqTRES|AllocTRES|TRESUsageInTot|AveRSS|MaxRSS|ConsumedEnergyRaw|" +
  "Timelimit|NodeList|Reservation|WCKey|Comment\n";

const WATTS_PER_CORE = 6;
const WATTS_PER_GPU = 300;

/** The lines of one run, each with its line break. */
export function linesOf(run: MadeUpRun, cluster: ClusterProfile): string {
  const hasStarted = run.startAt !== null;
  const cpuMs = Math.floor(run.cpus * run.elapsedSeconds * 1000 * run.usedShare);
  const watts = run.cpus * WATTS_PER_CORE * run.usedShare + run.gpus * WATTS_PER_GPU;
  const energyJoules = cluster.hasEnergyMeters && hasStarted ? String(Math.floor(watts * run.elapsedSeconds)) : "";
  const nodes = hasStarted ? nodeList(run, cluster) : "None assigned";
  const cpus = hasStarted ? run.cpus : 0;
  const job = line([
    String(run.rawId),
    run.displayId,
    cluster.name,
    run.user.name,
    run.user.account,
    run.partition,
    run.qos,
    run.name,
    run.state,
    run.exitCode,
    time(run.submitAt),
    time(run.eligibleAt),
    hasStarted ? time(run.startAt) : noStart(run),
    time(run.endAt),
    String(run.elapsedSeconds),
    clock(run.elapsedSeconds),
    cpuClock(run.state === "RUNNING" ? 0 : cpuMs),
    String(run.cpus * run.elapsedSeconds),
    String(cpus),
    String(run.cpus),
    String(run.nodes),
    memory(run.memMib),
    tres(run, { typed: false }),
    hasStarted ? tres(run, { typed: true }) : "",
    "",
    "",
    "",
    energyJoules,
    clock(run.limitSeconds),
    nodes,
    "",
    "",
    run.comment,
  ]);
  return hasStarted ? job + stepLines(run, cluster, cpuMs, nodes) : job;
}

function stepLines(run: MadeUpRun, cluster: ClusterProfile, cpuMs: number, nodes: string): string {
  const stepState =
    run.state.startsWith("CANCELLED") || run.state === "REQUEUED" || run.state === "TIMEOUT" ? "CANCELLED" : run.state;
  const numbered = run.numberedSteps;
  const batchCpuMs = numbered === 0 ? cpuMs : Math.floor(cpuMs / 100);
  const rssKib = Math.floor(run.memMib * 1024 * 0.45 * run.usedShare);
  const names = ["batch", "extern", ...Array.from({ length: numbered }, (_, step) => String(step))];
  return names
    .map((name, index) => {
      const isNumbered = index > 1;
      const stepSeconds = isNumbered ? Math.floor(run.elapsedSeconds / numbered) : run.elapsedSeconds;
      const startAt = (run.startAt ?? 0) + (isNumbered ? (index - 2) * stepSeconds : 0);
      const isRunning = run.endAt === null;
      const share = isNumbered ? Math.floor((cpuMs - batchCpuMs) / numbered) : name === "batch" ? batchCpuMs : 2;
      const stepRssKib = name === "extern" ? 1100 : isNumbered || numbered === 0 ? rssKib : 4644;
      const measured = isRunning ? "" : `${stepRssKib}K`;
      const state =
        isNumbered && stepState === "FAILED" && index < names.length - 1
          ? "COMPLETED"
          : name === "extern" && stepState !== "RUNNING"
            ? "COMPLETED"
            : stepState;
      return line([
        `${run.rawId}.${name}`,
        `${run.displayId}.${name}`,
        cluster.name,
        "",
        run.user.account,
        "",
        "",
        isNumbered ? stepName(run) : name,
        state,
        stepState === "CANCELLED" && state === "CANCELLED" ? "0:15" : name === "extern" ? "0:0" : run.exitCode,
        time(startAt),
        time(startAt),
        time(startAt),
        isRunning ? "Unknown" : time(startAt + stepSeconds),
        String(stepSeconds),
        clock(stepSeconds),
        cpuClock(isRunning ? 0 : share),
        String(run.cpus * stepSeconds),
        String(run.cpus),
        String(run.cpus),
        String(run.nodes),
        "",
        "",
        stepTres(run),
        isRunning
          ? ""
          : `cpu=${clock(Math.floor(share / 1000))},energy=0,fs/disk=${(run.rawId * 7919) % 100_000_000},mem=${stepRssKib}K,pages=0,vmem=${stepRssKib * 2}K`,
        measured,
        measured,
        isRunning ? "" : "0",
        "",
        nodes,
        "",
        "",
        "",
      ]);
    })
    .join("");
}

function line(fields: readonly string[]): string {
  return `${fields.join("|")}\n`;
}

function stepName(run: MadeUpRun): string {
  return run.gpus > 0 ? "python" : (run.name.split("-", 1)[0] ?? run.name);
}

/** A job that was cancelled while it waited has no start; one that still waits has none yet. */
function noStart(run: MadeUpRun): string {
  return run.endAt === null ? "Unknown" : "None";
}

function time(seconds: number | null): string {
  return seconds === null ? "Unknown" : new Date(seconds * 1000).toISOString().slice(0, 19);
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function clock(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const rest = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${rest}` : rest;
}

/** TotalCPU shows milliseconds below an hour, and whole seconds above. */
function cpuClock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds >= 3600) return clock(seconds);
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}

/** Slurm goes up one unit as soon as the value is whole in it, or has two decimals. */
function memory(mib: number): string {
  if (mib < 1024) return `${mib}M`;
  return mib % 1024 === 0 ? `${mib / 1024}G` : (mib * 100) % 1024 === 0 ? `${(mib / 1024).toFixed(2)}G` : `${mib}M`;
}

function gpuTres(run: MadeUpRun, typed: boolean): string {
  if (run.gpus === 0) return "";
  const typedEntry = typed && run.gpuType !== null ? `gres/gpu:${run.gpuType}=${run.gpus},` : "";
  // Slurm prints the two in either order.
  return run.rawId % 2 === 0 ? `${typedEntry}gres/gpu=${run.gpus},` : `gres/gpu=${run.gpus},${typedEntry}`;
}

function tres(run: MadeUpRun, options: { typed: boolean }): string {
  const billing = run.cpus + 16 * run.gpus + Math.floor(run.memMib / 4096);
  return `billing=${billing},cpu=${run.cpus},${gpuTres(run, options.typed)}mem=${memory(run.memMib)},node=${run.nodes}`;
}

function stepTres(run: MadeUpRun): string {
  return `cpu=${run.cpus},${gpuTres(run, true)}mem=${memory(run.memMib)},node=${run.nodes}`;
}

function nodeList(run: MadeUpRun, cluster: ClusterProfile): string {
  const prefix = run.partition === "gpu" ? "gpu" : "node";
  const first = 1 + (run.rawId % (cluster.nodes - run.nodes + 1));
  const number = (node: number): string => String(node).padStart(3, "0");
  return run.nodes === 1 ? `${prefix}${number(first)}` : `${prefix}[${number(first)}-${number(first + run.nodes - 1)}]`;
}
