import { Command } from "commander";
import { openUntouched } from "../backup/open-database.ts";
import { refusalOf, schemaState } from "../db/migrate.ts";
import { UserError } from "../errors.ts";
import { exactJson, UsageError, withServices } from "./options.ts";

interface Options {
  readonly check?: true;
  readonly json?: true;
}

export function migrateCommand(): Command {
  return new Command("migrate")
    .description("bring the database's schema up to date; safe to run again and beside a running server")
    .option("--check", "change nothing; exit code 1 when there is something to do, or a newer version was here")
    .option("--json", "with --check: print the answer as JSON")
    .action(async (options: Options) => {
      if (options.check === true) return check(options);
      if (options.json === true) throw new UsageError("--json goes with --check");
      await withServices(async () => {
        process.stdout.write("the schema is up to date\n");
      });
    });
}

async function check(options: Options): Promise<void> {
  const database = await openUntouched(process.env, { mayCreate: false });
  try {
    const state = await schemaState(database.url);
    if (options.json === true) process.stdout.write(`${exactJson(state)}\n`);
    const refusal = refusalOf(state);
    if (refusal !== undefined) throw new UserError(refusal);
    const { pending } = state;
    if (pending.length > 0)
      throw new UserError(
        `${pending.length} ${pending.length === 1 ? "migration is" : "migrations are"} to be applied: ${pending.join(", ")}`,
      );
    if (options.json !== true) process.stdout.write("the schema is up to date\n");
  } finally {
    await database.close();
  }
}
