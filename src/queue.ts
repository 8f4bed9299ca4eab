import { PgBoss } from "pg-boss";
import { z } from "zod";
import { normalizeDatabaseUrl } from "./db/connection.ts";
import { ConflictError, messageOf } from "./errors.ts";
import type { Logger } from "./log.ts";

/**
 * Work that one of the replicas does: by schedule, when somebody asks for it, and again when it failed. Of the same key
 * there is one at a time, waiting or under way, on all replicas together.
 */
export interface QueueTask {
  readonly name: string;
  /** How often it is tried again, later and later, before the next schedule's turn. */
  readonly retries: number;
  /** How many keys this process works on side by side. */
  readonly atOnce: number;
  /** The schedule, in cron's five fields and the site's time zone, of each key that has one. */
  readonly schedules: readonly { readonly key: string; readonly cron: string }[];
  /** Must be safe to repeat; stops soon after `signal` aborts. */
  readonly work: (request: TaskRequest, signal: AbortSignal) => Promise<void>;
}

const requestSchema = z.object({
  key: z.string(),
  requestedBy: z.string(),
  options: z.record(z.string(), z.string()).default({}),
});

/** What a task is asked for. */
export type TaskRequest = z.output<typeof requestSchema>;

export interface WorkQueue {
  /** Asks for a task; false when the same is waiting or under way already. */
  send(task: string, request: TaskRequest): Promise<boolean>;
  /** Stops what is under way and waits for it, for a while. */
  stop(): Promise<void>;
}

/** A worker that says nothing for so long is taken for dead, and its work is given to another. */
const HEARTBEAT_SECONDS = 30;
/** How often it is looked for such workers. */
const SUPERVISE_SECONDS = 10;
/** The longest that pg-boss lets one task take. */
const EXPIRE_SECONDS = 86_000;
const STOP_PATIENCE_MS = 15_000;
const POLL_SECONDS = 1;
const CONNECTIONS = 3;

/** Starts the queue on the database's own schema `pgboss`, and this process's workers. */
export async function startQueue(options: {
  readonly databaseUrl: string;
  readonly timeZone: string;
  readonly logger: Logger;
  readonly tasks: readonly QueueTask[];
}): Promise<WorkQueue> {
  const { logger, tasks, timeZone } = options;
  const boss = new PgBoss({
    connectionString: normalizeDatabaseUrl(options.databaseUrl),
    application_name: "hpc-billing queue",
    max: CONNECTIONS,
    schema: "pgboss",
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
  });
  boss.on("error", (error) => logger.warn({ reason: messageOf(error) }, "the work queue met an error; it goes on"));
  const stopping = new AbortController();
  await boss.start();
  for (const task of tasks) await offer(boss, task, { timeZone, logger, stopping: stopping.signal });
  return {
    send: async (task, request) => {
      const send = (): Promise<string | null> => boss.send(task, request, { singletonKey: request.key });
      return (await send()) !== null || ((await dropRetries(boss, task, request.key)) && (await send()) !== null);
    },
    stop: async () => {
      stopping.abort(new ConflictError("the server was stopped; the work goes on at its next start"));
      await boss.stop({ graceful: true, timeout: STOP_PATIENCE_MS });
    },
  };
}

/** Whoever asks does not wait for the turn of what failed before: its next attempt may be a quarter of an hour away. */
async function dropRetries(boss: PgBoss, task: string, key: string): Promise<boolean> {
  const known = await boss.findJobs(task, { key, queued: true });
  const failed = known.filter(({ state }) => state === "retry").map(({ id }) => id);
  if (failed.length > 0) await boss.deleteJob(task, failed);
  return failed.length > 0;
}

async function offer(
  boss: PgBoss,
  task: QueueTask,
  context: { readonly timeZone: string; readonly logger: Logger; readonly stopping: AbortSignal },
): Promise<void> {
  await boss.createQueue(task.name, {
    policy: "exclusive",
    retryLimit: task.retries,
    retryDelay: 15,
    retryBackoff: true,
    retryDelayMax: 900,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    expireInSeconds: EXPIRE_SECONDS,
  });
  await setSchedules(boss, task, context.timeZone);
  const worker = { pollingIntervalSeconds: POLL_SECONDS, localConcurrency: task.atOnce };
  await boss.work(task.name, worker, async ([job]) => {
    const request = requestSchema.parse(job?.data);
    try {
      await task.work(request, AbortSignal.any([context.stopping, ...(job === undefined ? [] : [job.signal])]));
    } catch (error) {
      // The process stops, or somebody else does the same work: neither is a failure to be tried again.
      if (context.stopping.aborted || error instanceof ConflictError) {
        context.logger.info({ task: task.name, key: request.key, reason: messageOf(error) }, "work was not finished");
        return;
      }
      context.logger.error({ err: error, task: task.name, key: request.key }, "work failed; it will be tried again");
      throw error;
    }
  });
}

/** Makes the schedules in the database those of the configuration. */
async function setSchedules(boss: PgBoss, task: QueueTask, timeZone: string): Promise<void> {
  const wanted = new Map(task.schedules.map(({ key, cron }) => [key, cron]));
  for (const { key } of await boss.getSchedules(task.name)) {
    if (!wanted.has(key)) await boss.unschedule(task.name, key);
  }
  for (const [key, cron] of wanted) {
    const request: TaskRequest = { key, requestedBy: "system", options: {} };
    await boss.schedule(task.name, cron, request, { tz: timeZone, key, singletonKey: key });
  }
}
