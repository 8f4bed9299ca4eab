import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const Answer = z.union([
  z.object({
    connection: z.object({ host: z.string(), port: z.number(), user: z.string(), database: z.string() }),
    adopted: z.boolean(),
  }),
  z.object({ failure: z.string() }),
]);

/** Another process that uses the database of a folder. */
export interface Holder {
  readonly answer: z.output<typeof Answer>;
  /** Lets it close the database and end. */
  close(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Starts a process that opens the folder's database; returns when it has, or has failed to. */
export async function startHolder(dataDir: string, role: "serve" | "command"): Promise<Holder> {
  const script = fileURLToPath(new URL("hold-postgres.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, role], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const answer = await new Promise<z.output<typeof Answer>>((resolve, reject) => {
    lines.once("line", (line) => resolve(Answer.parse(JSON.parse(line))));
    lines.once("close", () => reject(new Error(`${script} ended without a word`)));
  });
  return {
    answer,
    async close() {
      child.stdin.end();
      await ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
