/**
 * Opens the database of a data folder and holds it: `node hold-postgres.ts FOLDER ROLE`. Prints one line of JSON when it
 * is open (or that it could not be) and closes it when its standard input ends.
 */
import { finished } from "node:stream/promises";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { messageOf } from "../../src/errors.ts";

const [dataDir, role] = process.argv.slice(2);
if (dataDir === undefined) throw new Error("which folder?");

try {
  const postgres = await openEmbeddedPostgres({
    dataDir,
    role: role === "serve" ? "serve" : "command",
    log: () => undefined,
  });
  process.stdout.write(`${JSON.stringify({ connection: postgres.connection, adopted: postgres.adopted })}\n`);
  process.stdin.resume();
  await finished(process.stdin);
  await postgres.close();
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failure: messageOf(error) })}\n`);
  process.exitCode = 1;
}
