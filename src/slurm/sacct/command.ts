/** Runs a program and hands out what it writes, so that an answer that is not whole never looks like one that is. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { messageOf, UpstreamError } from "../../errors.ts";
import { Complaints } from "./complaints.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { isSettledWithin } from "./settled-within.ts";

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment: nothing of ours is handed on. */
  readonly env: Readonly<Record<string, string>>;
  /** For messages, behind the program's name: `asked for jobs`. */
  readonly purpose: string;
  readonly signal: AbortSignal;
  /** How long it may write nothing while it is waited for. */
  readonly silenceSeconds: number;
  /** How long it gets to end after SIGTERM, before SIGKILL. */
  readonly killSeconds: number;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const LINE_FEED = 0x0a;

/**
 * Yields what the program writes to its standard output. No shell is involved. The program is gone when the iteration
 * is over, however it ended.
 * @throws UpstreamError when it cannot be started, says nothing for too long, ends with anything but exit code 0, says
 * on its standard error that something failed, or stops in the middle of a line; the signal's reason when aborted.
 */
export async function* outputOf(command: Command): AsyncGenerator<Uint8Array> {
  command.signal.throwIfAborted();
  const running = await Running.start(command);
  const watch = new SilenceWatch(command.silenceSeconds, () => running.stop(saidNothing(command)));
  const abort = (): void => running.stop(command.signal.reason);
  command.signal.addEventListener("abort", abort, { once: true });
  if (command.signal.aborted) abort();
  let lastByte: number | undefined = LINE_FEED;
  try {
    watch.start();
    for await (const piece of running.output()) {
      watch.stop();
      lastByte = piece.at(-1) ?? lastByte;
      yield piece;
      watch.start();
    }
    const ending = await running.ended();
    refuseFailure(command, ending, running.complaints);
    if (lastByte !== LINE_FEED) throw new UpstreamError(`${nameOf(command)} stopped in the middle of a line.`);
  } finally {
    command.signal.removeEventListener("abort", abort);
    watch.stop();
    await running.end();
  }
}

/** A started program, with all that it starts itself: they are one process group. */
class Running {
  readonly complaints = new Complaints();
  readonly #child: Child;
  readonly #closed: Promise<Ending>;
  readonly #killSeconds: number;
  readonly #gone = Promise.withResolvers<void>();
  #hasClosed = false;
  /** Why it was stopped, when it was. */
  #stopReason: { readonly error: unknown } | null = null;
  #ending: Promise<void> | null = null;

  static async start(command: Command): Promise<Running> {
    const { path, args, env } = command;
    try {
      // A group of its own, so that what a wrapper script started can be ended as well.
      const child = spawn(path, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
      const running = new Running(child, command.killSeconds);
      await once(child, "spawn");
      child.stderr.setEncoding("utf8").on("data", (piece: string) => running.complaints.add(piece));
      return running;
    } catch (error) {
      throw new UpstreamError(`Cannot start ${path}: ${startProblem(error)}. ${HINT}`, { cause: error });
    }
  }

  private constructor(child: Child, killSeconds: number) {
    this.#child = child;
    this.#killSeconds = killSeconds;
    this.#closed = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#hasClosed = true;
        this.complaints.finish();
        resolve({ code, signal });
      });
    });
  }

  /** @throws why it was stopped, when it was. */
  async *output(): AsyncGenerator<Uint8Array> {
    const pieces: AsyncIterable<Uint8Array> = this.#child.stdout;
    try {
      yield* pieces;
    } catch (error) {
      throw this.#stopReason === null ? error : this.#stopReason.error;
    }
  }

  /** How it ended by itself. @throws why it was stopped, when it was. */
  async ended(): Promise<Ending> {
    const ending = await Promise.race([this.#closed, this.#gone.promise]);
    if (this.#stopReason !== null) throw this.#stopReason.error;
    return ending ?? { code: null, signal: null };
  }

  stop(error: unknown): void {
    this.#stopReason ??= { error };
    void this.end();
  }

  /** Makes sure that it is gone. */
  end(): Promise<void> {
    this.#ending ??= this.#end().finally(() => this.#gone.resolve());
    return this.#ending;
  }

  async #end(): Promise<void> {
    if (this.#hasClosed) return;
    this.#kill("SIGTERM");
    if (await isSettledWithin(this.#closed, this.#killSeconds)) return;
    this.#kill("SIGKILL");
    // Somebody who left the group may still hold the pipes; nobody waits for that.
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await isSettledWithin(this.#closed, this.#killSeconds);
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Gone already, or (behind sudo) not ours to end: then its closed pipe ends it.
    }
  }
}

const HINT =
  "The path of sacct (SACCT_PATH) must name Slurm's sacct; sacctmgr and sreport are looked for in the same place.";

function startProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT") return "there is no such program";
  if (code === "EACCES") return "it may not be executed by this user";
  return messageOf(error);
}

function refuseFailure(command: Command, { code, signal }: Ending, complaints: Complaints): void {
  const said = complaints.text === "" ? "It gave no reason." : complaints.text;
  if (signal !== null) throw new UpstreamError(`${nameOf(command)} was ended by ${signal}. ${said}`);
  if (code !== 0) throw new UpstreamError(`${nameOf(command)} ended with exit code ${code}. ${said}`);
  // sacct does so when slurmdbd goes away in the middle of the answer: it prints a header, no job, and exits with 0.
  if (complaints.meanFailure) throw new UpstreamError(`${nameOf(command)} reported an error. ${said}`);
}

function saidNothing(command: Command): UpstreamError {
  return new UpstreamError(`${nameOf(command)} wrote nothing for ${command.silenceSeconds} s and was ended.`);
}

function nameOf({ path, purpose }: Command): string {
  return `${path}, ${purpose},`;
}
