/** Makes up jobs: how long they ran, for whom, on what, and how they ended. */
import type { JobRecord } from "../../src/slurm/job-record.ts";
import { anAllocation, NOTHING_HELD } from "./allocations.ts";
import { clockChanges, midnights } from "./berlin.ts";
import type { Dice } from "./dice.ts";
import { historyOf, type Ended, type Sighting } from "./history.ts";
import { CLUSTER, PEOPLE } from "./people.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;

export interface Run {
  readonly rawJobId: string;
  readonly submitAt: number;
  readonly history: readonly Sighting[];
}

/** A job: usually one run; when it was requeued, preempted or lost its node, the next run begins where the last ended. */
export function runsOfJob(dice: Dice, job: { rawJobId: string; submitAt: number }): Run[] {
  const base = aRecord(dice, job);
  if (dice.percent(8)) {
    const endAt = job.submitAt + dice.int(1, 3 * DAY);
    const canceled = {
      ...base,
      ...NOTHING_HELD,
      state: "CANCELLED",
      nodeList: "",
      startAt: null,
      endAt,
      elapsedSeconds: 0,
    };
    return [runOf(dice, canceled)];
  }
  const runs: Run[] = [];
  let submitAt = job.submitAt;
  while (runs.length < 3 && dice.percent(12)) {
    const lost = ran(dice, { ...base, submitAt, state: dice.pick(["REQUEUED", "PREEMPTED", "NODE_FAIL"]) });
    runs.push(runOf(dice, lost));
    submitAt = lost.endAt + dice.int(1, 3);
  }
  return [...runs, runOf(dice, ran(dice, { ...base, submitAt, ...anEnd(dice) }))];
}

function runOf(dice: Dice, ended: Ended): Run {
  return { rawJobId: ended.rawJobId, submitAt: ended.submitAt, history: historyOf(dice, ended) };
}

function anEnd(dice: Dice): Pick<JobRecord, "state" | "exitCode"> {
  return dice.weighted([
    [75, { state: "COMPLETED", exitCode: "0:0" }],
    [10, { state: "FAILED", exitCode: "1:0" }],
    [5, { state: "TIMEOUT", exitCode: "0:0" }],
    [3, { state: "OUT_OF_MEMORY", exitCode: "0:125" }],
    [3, { state: "CANCELLED", exitCode: "0:15" }],
    [4, { state: "NODE_FAIL", exitCode: "0:0" }],
  ]);
}

/** Waits a while, runs for seconds, hours, days or weeks, and may be suspended in between. */
function ran(dice: Dice, record: Ended): Ended {
  const elapsedSeconds = dice.weighted([
    [4, 0],
    // Whole minutes, so that amounts lie exactly between two satang now and then.
    [25, 36 * dice.int(1, 400)],
    [40, dice.int(1, 4 * HOUR)],
    [22, dice.int(4 * HOUR, 30 * HOUR)],
    [7, dice.int(DAY, 6 * DAY)],
    [2, dice.int(14 * DAY, 35 * DAY)],
  ]);
  const startAt = record.submitAt + (dice.percent(50) ? 0 : dice.int(1, 10 * HOUR));
  const suspendedSeconds = dice.percent(4) ? dice.int(1, 3 * HOUR) : 0;
  return { ...record, startAt, elapsedSeconds, endAt: startAt + elapsedSeconds + suspendedSeconds };
}

function aRecord(dice: Dice, { rawJobId, submitAt }: { rawJobId: string; submitAt: number }): Ended {
  const { user, account } = dice.pick(PEOPLE);
  return {
    cluster: CLUSTER,
    rawJobId,
    jobId: dice.weighted([
      [80, rawJobId],
      [12, `${rawJobId}_${dice.int(0, 9)}`],
      [8, `${rawJobId}+${dice.int(0, 3)}`],
    ]),
    submitAt,
    keyIsWeak: false,
    startAt: submitAt,
    endAt: submitAt,
    phase: "finished",
    state: "COMPLETED",
    user,
    account,
    qos: dice.pick(["normal", "long"]),
    jobName: dice.pick(["sim", "แบบจำลอง", "a,b|c"]),
    exitCode: "0:0",
    nodeList: "node1",
    comment: "",
    elapsedSeconds: 0,
    ...anAllocation(dice),
    energyJoules: BigInt(dice.int(0, 1_000_000)),
    usedCpuMs: dice.percent(50) ? BigInt(dice.int(0, 1_000_000)) : null,
    usedMemKibSeconds: dice.percent(50) ? BigInt(dice.int(0, 1_000_000_000)) : null,
  };
}

/** Runs over the begin of a month or a year and over a change of the clocks, and such that end right at or before it. */
export function runsAtTheEdges(dice: Dice, from: number, to: number): Run[] {
  const edges = [...midnights(from, to, (day) => day.endsWith("-01")), ...clockChanges(from, to)];
  const ends = edges.flatMap((edge) =>
    [edge - 1, edge, edge + dice.int(1, 2 * HOUR)].map((endAt) => ({ edge, endAt })),
  );
  return ends.map(({ edge, endAt }, index) => {
    const startAt = edge - dice.int(2, 5 * HOUR);
    const record = aRecord(dice, { rawJobId: String(900_000 + index), submitAt: startAt });
    return runOf(dice, { ...record, endAt, elapsedSeconds: endAt - startAt });
  });
}
