import { Command } from "commander";
import { withServices } from "./options.ts";

export function migrateCommand(): Command {
  return new Command("migrate")
    .description("bring the database's schema up to date; safe to run again and beside a running server")
    .action(async () => {
      await withServices(async () => {
        process.stdout.write("the schema is up to date\n");
      });
    });
}
