/** Takes one backup: `node take-one.ts DATABASE_URL FOLDER`. To be killed. */
import { takeBackup } from "../../src/backup/take.ts";

const [databaseUrl, folder] = process.argv.slice(2);
if (databaseUrl === undefined || folder === undefined) throw new Error("which database, which folder?");
await takeBackup({
  databaseUrl,
  folder,
  now: new Date(),
  version: "1.2.3",
  keyring: { activeKeyId: "test", keys: new Map([["test", "a test's secret"]]) },
  recipients: [],
  keep: null,
  onTable: () => undefined,
});
