/** Reads what the price calculator is asked: every wrong field at once, and the job when all are right. */
import { MICRO, parseMicro, roundHalfEven } from "../../rating/money.ts";
import type { AskedJob, CalcProblems, CalcTexts } from "../pages/playground/model.ts";

const MOST_CORES = 1_000_000;
const MOST_GPUS = 100_000;
const MOST_JOBS = 1_000_000;
const MOST_GIB = 10_000_000n;
/** A leap year. */
const MOST_SECONDS = 8_784 * 3_600;

/** What is calculated when nothing was asked. */
const FIRST_QUESTION: CalcTexts = {
  cores: "4",
  gpus: "0",
  gpu_type: "",
  memory: "16",
  hours: "1",
  jobs: "1",
  cluster: "",
  partition: "",
};

export type CalcQuery = { readonly [F in keyof CalcTexts]?: string | undefined };

/** The fields as they stand in the address; missing ones as in the first question. */
export function textsOf(query: CalcQuery): CalcTexts {
  const text = (field: keyof CalcTexts): string => query[field]?.trim() ?? FIRST_QUESTION[field];
  return {
    cores: text("cores"),
    gpus: text("gpus"),
    gpu_type: text("gpu_type"),
    memory: text("memory"),
    hours: text("hours"),
    jobs: text("jobs"),
    cluster: text("cluster"),
    partition: text("partition"),
  };
}

export function readCalculation(texts: CalcTexts): {
  readonly asked: AskedJob | null;
  readonly problems: CalcProblems;
} {
  const cores = whole(texts.cores, 1, MOST_CORES);
  const gpus = whole(texts.gpus, 0, MOST_GPUS);
  const memMib = mibOf(texts.memory);
  const seconds = secondsOf(texts.hours);
  const jobs = whole(texts.jobs, 1, MOST_JOBS);
  const problems: CalcProblems = {
    ...(cores === undefined && { cores: "calc.wrong.cores" }),
    ...(gpus === undefined && { gpus: "calc.wrong.gpus" }),
    ...(memMib === undefined && { memory: "calc.wrong.memory" }),
    ...(seconds === undefined && { hours: "calc.wrong.hours" }),
    ...(jobs === undefined && { jobs: "calc.wrong.jobs" }),
    ...(!isName(texts.gpu_type) && { gpu_type: "calc.wrong.gpuType" }),
    ...(!isName(texts.cluster) && { cluster: "calc.wrong.place" }),
    ...(!isName(texts.partition) && { partition: "calc.wrong.place" }),
  };
  const isRight =
    cores !== undefined && gpus !== undefined && memMib !== undefined && seconds !== undefined && jobs !== undefined;
  if (!isRight || Object.keys(problems).length > 0) return { asked: null, problems };
  return {
    asked: {
      cores,
      gpus,
      gpuType: texts.gpu_type,
      memMib,
      seconds,
      jobs,
      cluster: texts.cluster,
      partition: texts.partition,
    },
    problems,
  };
}

function whole(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,9}$/u.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/** A decimal with two places at most, as millionths. */
function twoPlaces(text: string): bigint | undefined {
  return /^\d{1,9}(?:\.\d{1,2})?$/u.test(text) ? parseMicro(text) : undefined;
}

/** GiB as whole MiB, as Slurm counts memory. */
function mibOf(text: string): number | undefined {
  const micro = twoPlaces(text);
  return micro === undefined || micro > MOST_GIB * MICRO ? undefined : Number(roundHalfEven(micro * 1024n, MICRO));
}

/** `3.5` hours, or `3:30`, `3:30:00`. */
function secondsOf(text: string): number | undefined {
  const [, hours, minutes, seconds = "0"] = /^(\d{1,4}):([0-5]\d)(?::([0-5]\d))?$/u.exec(text) ?? [];
  const micro = hours === undefined ? twoPlaces(text) : undefined;
  // Two decimals of an hour are a whole number of seconds.
  const total =
    hours !== undefined
      ? Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)
      : micro === undefined
        ? Number.NaN
        : Number((micro * 3_600n) / MICRO);
  return total > 0 && total <= MOST_SECONDS ? total : undefined;
}

/** A name as Slurm has it, or none. */
function isName(text: string): boolean {
  return /^[\w.:-]{0,64}$/u.test(text);
}
