import { rmSync } from "node:fs";
import { join } from "node:path";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { openClient } from "../../src/db/connection.ts";
import { connectionUrl, openEmbeddedPostgres } from "../../src/db/embedded.ts";

/** Milliseconds that COPY takes to load the rows of `jobs` again, into an empty table with the same indexes and checks. */
export async function copyLimitMs(dataDir: string, scratchFolder: string): Promise<number> {
  const postgres = await openEmbeddedPostgres({ dataDir, role: "command", log: () => undefined });
  const client = openClient(connectionUrl(postgres.connection));
  const file = join(scratchFolder, `rows-${process.pid}.copy`);
  try {
    await client.connect();
    await pipeline(client.query(copyTo("COPY jobs TO STDOUT")), createWriteStream(file));
    await client.query("CREATE TABLE jobs_again (LIKE jobs INCLUDING ALL)");
    const startedAt = performance.now();
    const rows = createReadStream(file, { highWaterMark: 1 << 20 });
    await pipeline(rows, client.query(copyFrom("COPY jobs_again FROM STDIN")));
    return Math.round(performance.now() - startedAt);
  } finally {
    await client.end();
    await postgres.close();
    rmSync(file, { force: true });
  }
}
