/** Made-up jobs: who, what, when and how it ended. */
import type { ClusterProfile, JobKind, UserProfile } from "./generate-cluster.ts";
import type { SeededRandom } from "./generate-random.ts";

/** One run of a job as the scheduler would have recorded it. Times in seconds since 1970. */
export interface MadeUpRun {
  readonly rawId: number;
  readonly displayId: string;
  readonly user: UserProfile;
  readonly partition: string;
  readonly qos: string;
  readonly name: string;
  readonly comment: string;
  readonly state: string;
  readonly exitCode: string;
  readonly submitAt: number;
  readonly eligibleAt: number;
  /** Null for a job that never started. */
  readonly startAt: number | null;
  /** Null while it runs or waits. */
  readonly endAt: number | null;
  readonly elapsedSeconds: number;
  readonly limitSeconds: number;
  readonly cpus: number;
  readonly nodes: number;
  readonly memMib: number;
  readonly gpuType: string | null;
  readonly gpus: number;
  readonly usedShare: number;
  readonly numberedSteps: number;
}

interface Shape {
  readonly partition: string;
  readonly cpus: number;
  readonly memMib: number;
  readonly gpus: number;
  readonly medianSeconds: number;
  readonly limitSeconds: number;
}

const HOUR = 3600;
const DAY = 86_400;
/** Share of the jobs that were submitted in the hours before the dump was made. */
const RECENT_SHARE = 0.015;
/** The centres are in Bangkok: office hours and weekends are counted there. */
const LOCAL_OFFSET_SECONDS = 7 * HOUR;

const NAMES: Readonly<Record<JobKind, readonly [string, ...string[]]>> = {
  serial: ["fastqc", "postproc", "plot.sh", "convert", "samtools-sort", "R-fit"],
  threaded: ["bwa-mem", "gaussian", "matlab", "blast", "ประมวลผลข้อมูล"],
  mpi: ["wrf", "wrf-bangkok-3km", "openfoam", "gromacs", "roms", "พยากรณ์อากาศ"],
  gpu: ["train", "finetune-llm", "alphafold", "segment-ct", "inference"],
  array: ["sweep", "variant-call", "bootstrap", "docking"],
  debug: ["test", "hello", "interactive", "ทดสอบ"],
};

const COMMENTS: readonly [string, ...string[]] = [
  "stage=1|input=era5",
  "resubmitted | ran out of memory",
  "งานวิจัยปี 2569",
  'params: "lr=1e-4" | bs=32',
  "for the November report",
];

const ENDINGS: readonly [readonly [string, number], ...(readonly [string, number])[]] = [
  ["COMPLETED", 850],
  ["FAILED", 60],
  ["TIMEOUT", 28],
  ["CANCELLED", 40],
  ["OUT_OF_MEMORY", 12],
  ["NODE_FAIL", 5],
  ["PREEMPTED", 3],
];

/** Makes about `jobs` runs in the order of their submission; the same for the same profile and random numbers. */
export function* makeUpRuns(cluster: ClusterProfile, random: SeededRandom, jobs: number): Generator<MadeUpRun> {
  const spanSeconds = cluster.nowSeconds - cluster.fromSeconds;
  const users: [readonly [UserProfile, number], ...(readonly [UserProfile, number])[]] = [
    [cluster.users[0], cluster.users[0].weight],
    ...cluster.users.slice(1).map((user): readonly [UserProfile, number] => [user, user.weight]),
  ];
  let nextId = 1001;
  let made = 0;
  let waiting: MadeUpRun[] = [];
  while (made < jobs) {
    const user = random.weighted(users);
    const kind = random.weighted(user.habits);
    // The last ones were submitted in the last hours, so that some of them still wait or run.
    const submitAt =
      made >= jobs * (1 - RECENT_SHARE)
        ? cluster.nowSeconds - random.integer(60, 5 * HOUR)
        : submission(random, cluster, cluster.fromSeconds + (spanSeconds * (made + random.next())) / jobs);
    const tasks = kind === "array" ? Math.min(random.integer(3, 16), jobs - made) : 1;
    const firstId = nextId;
    nextId += tasks;
    const shape = shapeOf(kind, cluster, random);
    const name = random.pick(NAMES[kind]);
    for (let task = 0; task < tasks; task++) {
      // Tasks get an id when they start; the last one keeps the id of the whole array.
      const rawId = task === tasks - 1 ? firstId : firstId + task + 1;
      const displayId = kind === "array" ? `${firstId}_${task}` : String(rawId);
      const runs = runsOf({ rawId, displayId, user, kind, shape, name, submitAt }, cluster, random);
      made += runs.length;
      yield* runs.slice(0, 1);
      // A requeued run comes later in the dump, among jobs submitted when it was requeued.
      waiting.push(...runs.slice(1));
    }
    if (waiting.length > 3) {
      yield* waiting;
      waiting = [];
    }
  }
  yield* waiting;
}

/** Moves most submissions of nights and weekends to working hours, within the time the dump is about. */
function submission(random: SeededRandom, cluster: ClusterProfile, at: number): number {
  const submitAt = Math.floor(at);
  const localHour = Math.floor(((submitAt + LOCAL_OFFSET_SECONDS) % DAY) / HOUR);
  const weekday = (Math.floor((submitAt + LOCAL_OFFSET_SECONDS) / DAY) + 4) % 7;
  const isWeekend = weekday === 0 || weekday === 6;
  let moved = submitAt;
  if (isWeekend && random.chance(0.6)) moved += random.pick([-1, -2, -4, 2, -5]) * DAY;
  else if (localHour < 8 && random.chance(0.7)) moved += 7 * HOUR;
  return moved >= cluster.fromSeconds && moved < cluster.nowSeconds ? moved : submitAt;
}

function shapeOf(kind: JobKind, cluster: ClusterProfile, random: SeededRandom): Shape {
  const [cpu, gpu, debug] = ["cpu", "gpu", "debug"];
  switch (kind) {
    case "serial":
      return {
        partition: cpu,
        cpus: random.integer(1, 2),
        memMib: random.pick([500, 2048, 4096, 8192]),
        gpus: 0,
        medianSeconds: 900,
        limitSeconds: DAY,
      };
    case "threaded":
      return {
        partition: cpu,
        cpus: random.pick([4, 8, 8, 16, 32]),
        memMib: random.pick([8192, 16_384, 64_000, 128_000]),
        gpus: 0,
        medianSeconds: 4200,
        limitSeconds: 2 * DAY,
      };
    case "mpi": {
      const cpus = random.pick([32, 64, 128, 128, cluster.coresPerNode * 2]);
      return { partition: cpu, cpus, memMib: cpus * 2048, gpus: 0, medianSeconds: 9000, limitSeconds: 3 * DAY };
    }
    case "gpu": {
      const gpus = random.pick([1, 1, 1, 2, 4]);
      return {
        partition: gpu,
        cpus: gpus * 8,
        memMib: gpus * 64_000,
        gpus,
        medianSeconds: 10_800,
        limitSeconds: 2 * DAY,
      };
    }
    case "array":
      return {
        partition: cpu,
        cpus: random.pick([1, 2, 4]),
        memMib: random.pick([2048, 4096, 250]),
        gpus: 0,
        medianSeconds: 1300,
        limitSeconds: DAY,
      };
    case "debug":
      return {
        partition: debug,
        cpus: random.pick([1, 4, 8]),
        memMib: 4096,
        gpus: 0,
        medianSeconds: 60,
        limitSeconds: 1800,
      };
  }
}

interface Request {
  readonly rawId: number;
  readonly displayId: string;
  readonly user: UserProfile;
  readonly kind: JobKind;
  readonly shape: Shape;
  readonly name: string;
  readonly submitAt: number;
}

function runsOf(request: Request, cluster: ClusterProfile, random: SeededRandom): MadeUpRun[] {
  const { kind, shape, user } = request;
  const base = {
    ...request,
    partition: shape.partition,
    qos: random.chance(0.06) ? "high" : "normal",
    comment: random.chance(0.04) ? random.pick(COMMENTS) : "",
    limitSeconds: shape.limitSeconds,
    cpus: shape.cpus,
    nodes: Math.ceil(shape.cpus / cluster.coresPerNode),
    memMib: shape.memMib,
    gpuType:
      shape.gpus === 0 || random.chance(0.05)
        ? null
        : random.weighted([
            [cluster.gpuTypes[0], 3],
            [random.pick(cluster.gpuTypes), 1],
          ]),
    gpus: shape.gpus,
    usedShare: Math.min(1, user.efficiency * (0.7 + random.next() * 0.5)),
    numberedSteps:
      kind === "mpi"
        ? random.integer(1, 4)
        : kind === "debug"
          ? random.integer(0, 1)
          : random.chance(0.4)
            ? random.integer(1, 3)
            : 0,
  };
  const eligibleAt = request.submitAt;
  const startAt = eligibleAt + Math.floor(random.logNormal(kind === "debug" ? 4 : 120, 1.6));
  if (random.chance(0.02)) return [neverStarted(base, request.submitAt, Math.min(startAt, cluster.nowSeconds - 1))];
  if (startAt >= cluster.nowSeconds)
    return [
      {
        ...base,
        state: "PENDING",
        exitCode: "0:0",
        eligibleAt,
        startAt: null,
        endAt: null,
        elapsedSeconds: 0,
        numberedSteps: 0,
      },
    ];
  if (random.chance(0.01)) return requeued(base, startAt, cluster, random);
  return [run(base, { submitAt: request.submitAt, eligibleAt, startAt }, cluster, random)];
}

type Base = Omit<
  MadeUpRun,
  "state" | "exitCode" | "submitAt" | "eligibleAt" | "startAt" | "endAt" | "elapsedSeconds"
> & {
  readonly submitAt: number;
  readonly shape: Shape;
};

function neverStarted(base: Base, submitAt: number, cancelledAt: number): MadeUpRun {
  const endAt = Math.max(cancelledAt, submitAt);
  return {
    ...base,
    state: `CANCELLED by ${base.user.uid}`,
    exitCode: "0:0",
    eligibleAt: submitAt,
    startAt: null,
    endAt,
    elapsedSeconds: 0,
    numberedSteps: 0,
  };
}

function requeued(base: Base, startAt: number, cluster: ClusterProfile, random: SeededRandom): MadeUpRun[] {
  const lostSeconds = Math.min(random.integer(30, 7200), cluster.nowSeconds - startAt);
  const endAt = startAt + lostSeconds;
  const first: MadeUpRun = {
    ...base,
    state: "REQUEUED",
    exitCode: "0:0",
    eligibleAt: base.submitAt,
    startAt,
    endAt,
    elapsedSeconds: lostSeconds,
  };
  const again = { submitAt: endAt + 1, eligibleAt: endAt + 121, startAt: endAt + 121 + random.integer(0, 600) };
  return again.startAt < cluster.nowSeconds ? [first, run(base, again, cluster, random)] : [first];
}

function run(
  base: Base,
  times: { submitAt: number; eligibleAt: number; startAt: number },
  cluster: ClusterProfile,
  random: SeededRandom,
): MadeUpRun {
  const ending = random.weighted(ENDINGS);
  const wished = Math.max(1, Math.floor(random.logNormal(base.shape.medianSeconds, 1.1)));
  const elapsed =
    ending === "TIMEOUT" ? base.limitSeconds + random.integer(1, 30) : Math.min(wished, base.limitSeconds);
  // Few people ask for days and then use all of them; a short limit is what times out.
  const limited =
    ending === "TIMEOUT" && elapsed > 6 * HOUR
      ? random.pick([HOUR, 2 * HOUR, 4 * HOUR]) + random.integer(1, 30)
      : elapsed;
  const limitSeconds = ending === "TIMEOUT" ? Math.floor(limited / 1800) * 1800 : base.limitSeconds;
  const endAt = times.startAt + limited;
  if (endAt >= cluster.nowSeconds) {
    return {
      ...base,
      ...times,
      state: "RUNNING",
      exitCode: "0:0",
      endAt: null,
      elapsedSeconds: cluster.nowSeconds - times.startAt,
    };
  }
  const state = ending === "CANCELLED" ? `CANCELLED by ${random.chance(0.2) ? 0 : base.user.uid}` : ending;
  const exitCode =
    ending === "FAILED" ? `${random.pick([1, 1, 2, 127])}:0` : ending === "OUT_OF_MEMORY" ? "0:125" : "0:0";
  return { ...base, ...times, limitSeconds, state, exitCode, endAt, elapsedSeconds: limited };
}
