import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./log.ts";

/** Work that is done again and again while the process runs. */
export interface BackgroundTask {
  readonly name: string;
  readonly everyMs: number;
  /** Must be safe on several replicas at once, and stop soon after `signal` aborts. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

const LONGEST_BACKOFF_MS = 60_000;

/** Runs each task in a loop of its own; a task that fails is logged and tried again, later and later. */
export function startBackground(tasks: readonly BackgroundTask[], logger: Logger): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  const loops = tasks.map((task) => loop(task, logger, stopping.signal));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

async function loop(task: BackgroundTask, logger: Logger, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await task.work(signal);
      failures = 0;
    } catch (error) {
      failures++;
      logger.error({ err: error, task: task.name }, "background work failed; it will be tried again");
    }
    const pause = Math.min(task.everyMs * 2 ** failures, Math.max(LONGEST_BACKOFF_MS, task.everyMs));
    await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
