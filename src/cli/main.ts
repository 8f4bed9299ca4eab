import { Command, CommanderError } from "commander";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { auditCommand } from "./audit.ts";
import { exportCommand } from "./export.ts";
import { importCommand } from "./import.ts";
import { migrateCommand } from "./migrate.ts";
import { ratesCommand } from "./rates.ts";
import { receiptsCommand } from "./receipts.ts";
import { reconcileCommand } from "./reconcile.ts";
import { serveCommand } from "./serve.ts";
import { syncCommand } from "./sync.ts";
import { UsageError } from "./options.ts";
import { usageCommand } from "./usage.ts";
import { userCommand } from "./user.ts";

/** Exit codes: it worked, it failed, it was called wrongly. */
const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

function program(): Command {
  const root = new Command("hpc-billing")
    .description("Bills Slurm clusters: usage in, exact prices, receipts that are paid once, books that balance.")
    .showHelpAfterError("(add --help for what is accepted)")
    .exitOverride();
  for (const command of [
    serveCommand(),
    migrateCommand(),
    importCommand(),
    syncCommand(),
    usageCommand(),
    ratesCommand(),
    receiptsCommand(),
    reconcileCommand(),
    exportCommand(),
    userCommand(),
    auditCommand(),
  ]) {
    root.addCommand(withExitOverride(command));
  }
  return root;
}

function withExitOverride(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) withExitOverride(child);
  return command;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return OK;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message; help and version are no errors.
      return error.exitCode === 0 ? OK : BAD_USAGE;
    }
    process.stderr.write(`hpc-billing: ${messageOf(error)}\n`);
    const isExpected = error instanceof UserError || error instanceof UpstreamError;
    if (!isExpected && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    return error instanceof UsageError ? BAD_USAGE : FAILED;
  }
}

// The reader of our output (`| head`) may leave early; that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(OK);
  throw error;
});

process.exitCode = await main(process.argv);
