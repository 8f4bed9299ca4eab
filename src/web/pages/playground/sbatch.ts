import type { AskedJob } from "./model.ts";

/** The lines that ask Slurm for the same (sbatch(1)). */
export function sbatchLines({ cores, gpus, gpuType, memMib, seconds, jobs, cluster, partition }: AskedJob): string {
  const options = [
    ...(cluster === "" ? [] : [`--clusters=${cluster}`]),
    ...(partition === "" ? [] : [`--partition=${partition}`]),
    "--nodes=1",
    `--cpus-per-task=${cores}`,
    ...(gpus === 0 ? [] : [`--gres=gpu:${gpuType === "" ? "" : `${gpuType}:`}${gpus}`]),
    `--mem=${memMib % 1024 === 0 ? `${memMib / 1024}G` : `${memMib}M`}`,
    `--time=${timeText(seconds)}`,
    ...(jobs === 1 ? [] : [`--array=1-${jobs}`]),
  ];
  return options.map((option) => `#SBATCH ${option}`).join("\n");
}

/** `03:20:00`, `2-00:30:00`. */
function timeText(seconds: number): string {
  const pad = (value: number): string => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(pad).join(":");
  return days === 0 ? clock : `${days}-${clock}`;
}
