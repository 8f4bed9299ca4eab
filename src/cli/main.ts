import type { Command } from "commander";
import { messageOf, UpstreamError, UserError } from "../errors.ts";
import { healthcheck } from "./healthcheck.ts";

/** Exit codes: it worked, it failed, it was called wrongly. */
const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

/** Loaded when it is called for: a health check, asked every few seconds, needs none of it. */
async function program(): Promise<Command> {
  const { Command } = await import("commander");
  const root = new Command("hpc-billing")
    .description("Bills Slurm clusters: usage in, exact prices, receipts that are paid once, books that balance.")
    .showHelpAfterError("(add --help for what is accepted)")
    .exitOverride();
  const commands = await Promise.all([
    import("./serve.ts").then((room) => room.serveCommand()),
    import("./migrate.ts").then((room) => room.migrateCommand()),
    import("./import.ts").then((room) => room.importCommand()),
    import("./sync.ts").then((room) => room.syncCommand()),
    import("./usage.ts").then((room) => room.usageCommand()),
    import("./rates.ts").then((room) => room.ratesCommand()),
    import("./receipts.ts").then((room) => room.receiptsCommand()),
    import("./reconcile.ts").then((room) => room.reconcileCommand()),
    import("./export.ts").then((room) => room.exportCommand()),
    import("./user.ts").then((room) => room.userCommand()),
    import("./audit.ts").then((room) => room.auditCommand()),
    import("./backup.ts").then((room) => room.backupCommand()),
    import("./restore.ts").then((room) => room.restoreCommand()),
    import("./doctor.ts").then((room) => room.doctorCommand()),
  ]);
  for (const command of commands) root.addCommand(withExitOverride(command));
  // For the list of commands; it is answered before all this is loaded.
  root.command("healthcheck").description("ask a running server whether it can serve requests; exit code 0 or 1");
  return root;
}

function withExitOverride(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) withExitOverride(child);
  return command;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[2] === "healthcheck") return healthcheck(argv.slice(3), process.env);
  const { CommanderError } = await import("commander");
  const { UsageError } = await import("./options.ts");
  try {
    const root = await program();
    await root.parseAsync(argv);
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
