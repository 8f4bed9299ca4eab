import pg from "pg";
import { expect, test } from "vitest";
import { createTestDatabase } from "./database.ts";

test("every test gets a migrated database of its own", async () => {
  const databases = await Promise.all([createTestDatabase(), createTestDatabase(), createTestDatabase()]);
  const names = await Promise.all(
    databases.map(async ({ url }) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const answer = await client.query<{ name: string }>(
        "SELECT current_database() AS name FROM schema_migrations LIMIT 1",
      );
      await client.end();
      return answer.rows[0]?.name ?? url;
    }),
  );
  expect(new Set(names).size).toBe(3);
  await Promise.all(databases.map((database) => database.drop()));
});
