/** Invented figures that add up, in the shapes that components take. */
import type { DayColumn } from "../../src/web/pages/ui/index.ts";

/** Satang per day of October: CPU, GPU, memory. */
const OCTOBER: readonly (readonly [number, number, number])[] = [
  [28400, 53600, 8000],
  [38800, 0, 10600],
  [27000, 0, 7200],
  [36600, 126800, 10400],
  [18600, 62600, 5800],
  [5200, 0, 2000],
  [5000, 0, 2000],
  [36800, 0, 10600],
  [32800, 68200, 9200],
  [26000, 80000, 7400],
  [15200, 0, 3600],
  [16600, 41400, 5400],
  [11200, 0, 3200],
  [12400, 0, 3400],
  [32800, 37000, 9600],
  [17200, 0, 4400],
  [23000, 62600, 6600],
  [21200, 0, 5800],
  [27400, 44000, 8000],
  [10200, 9600, 3000],
  [12400, 0, 3400],
  [21800, 0, 6800],
  [28200, 56200, 8000],
  [19200, 38800, 5800],
  [26800, 27200, 7400],
  [25000, 66000, 7000],
  [6400, 18400, 2400],
  [10400, 0, 2800],
  [37000, 62400, 10200],
  [23200, 0, 6400],
  [30600, 20200, 8800],
];

export const october: readonly DayColumn[] = OCTOBER.map(([cpu, gpu, memory], index) => {
  const day = `2026-10-${String(index + 1).padStart(2, "0")}`;
  return {
    day,
    cpu: BigInt(cpu),
    gpu: BigInt(gpu),
    memory: BigInt(memory),
    href: `/me?view=detail&start=${day}&before=${day}`,
  };
});

/** Ninety days to 31 October. */
export const ninetyDays: readonly DayColumn[] = Array.from({ length: 90 }, (_, index) => {
  const day = new Date(Date.UTC(2026, 7, 3 + index)).toISOString().slice(0, 10);
  const [cpu, gpu, memory] = OCTOBER[(index * 17) % 31] ?? [0, 0, 0];
  return { day, cpu: BigInt(cpu), gpu: BigInt(gpu), memory: BigInt(memory) };
});

export interface AccountRow {
  readonly account: string;
  readonly jobs: number;
  readonly cpuSeconds: bigint;
  readonly gpuSeconds: bigint;
  readonly memMibSeconds: bigint;
  readonly amountMinor: bigint;
}

const hour = (hundredths: bigint): bigint => hundredths * 36n;
const account = (
  name: string,
  jobs: number,
  cpu: bigint,
  gpu: bigint,
  memory: bigint,
  amountMinor: bigint,
): AccountRow => ({
  account: name,
  jobs,
  cpuSeconds: hour(cpu),
  gpuSeconds: hour(gpu),
  memMibSeconds: hour(memory) * 1024n,
  amountMinor,
});

export const accounts: readonly AccountRow[] = [
  account("mu-climate", 188, 302_025n, 9_650n, 1_120_400n, 1_441_186n),
  account("mu-genome", 61, 33_100n, 3_225n, 987_650n, 431_209n),
  account("mu-teaching", 12, 6_125n, 0n, 12_250n, 18_016n),
];

export interface JobRow {
  readonly id: string;
  readonly of: string;
  readonly ended: Date | null;
  readonly state: string;
  readonly allocated: string;
  readonly elapsedSeconds: number;
  readonly amountMinor: bigint;
  /** `open`, `free`, `running`, or the number of the receipt. */
  readonly billing: string;
}

const at = (time: string): Date => new Date(`2026-10-31T${time}:00+07:00`);

export const jobs: readonly JobRow[] = [
  {
    id: "918273",
    of: "train-resnet · mu-climate",
    ended: at("22:14"),
    state: "COMPLETED",
    allocated: "16 cores · 2 × a100 · 64 GiB",
    elapsedSeconds: 12_015,
    amountMinor: 35_792n,
    billing: "open",
  },
  {
    id: "918260_4",
    of: "sweep · mu-climate",
    ended: at("21:02"),
    state: "TIMEOUT",
    allocated: "4 cores · 8 GiB",
    elapsedSeconds: 86_400,
    amountMinor: 12_672n,
    billing: "open",
  },
  {
    id: "918255",
    of: "mpi-test · mu-teaching",
    ended: at("20:40"),
    state: "NODE_FAIL",
    allocated: "128 cores · 256 GiB",
    elapsedSeconds: 761,
    amountMinor: 0n,
    billing: "free",
  },
  {
    id: "918249",
    of: "align · mu-genome",
    ended: at("19:55"),
    state: "COMPLETED",
    allocated: "32 cores · 120 GiB",
    elapsedSeconds: 3_850,
    amountMinor: 4_727n,
    billing: "R-2026-000412",
  },
  {
    id: "918301",
    of: "train-vit · mu-climate",
    ended: null,
    state: "RUNNING",
    allocated: "8 cores · 1 × h100 · 48 GiB",
    elapsedSeconds: 21_731,
    amountMinor: 32_610n,
    billing: "running",
  },
];
