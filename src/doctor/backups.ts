import { lastRestoreTest, newestBackup } from "../backup/folder.ts";
import { fail, ok, warn } from "./outcome.ts";
import { grave, type Check } from "./setup.ts";

const HOUR_MS = 3_600_000;
const TEST_DAYS = 90;

export const backupFresh: Check = {
  id: "backup-fresh",
  title: "Backups are scheduled",
  run: async (setup) => {
    const { backupFolder, backupHours, clock } = setup;
    const newest = await newestBackup(backupFolder);
    const advice = "run hpc-billing backup by a timer; see docs/deployment.md, Backup and restore";
    if (newest === undefined)
      return grave(
        setup,
        `there is none in ${backupFolder}`,
        `${advice}; --backups or BACKUP_DIR names another folder`,
      );
    const hours = (clock.now().getTime() - Date.parse(newest.taken_at)) / HOUR_MS;
    const found = `${newest.file} is ${hours.toFixed(1)} hours old, ${newest.bytes} bytes`;
    if (newest.sha256 === "")
      return warn(`${newest.file} has no note beside it`, "copy NAME.json with it: it holds the checksum");
    return hours <= backupHours ? ok(found) : fail(found, advice);
  },
};

export const backupTested: Check = {
  id: "backup-tested",
  title: "Backups are tested",
  run: async ({ backupFolder, clock }) => {
    const test = await lastRestoreTest(backupFolder);
    const advice =
      "hpc-billing restore NEWEST --trial restores it beside your data, compares everything and takes it back";
    if (test === undefined) return warn("no backup of this folder was ever restored", advice);
    const days = Math.floor((clock.now().getTime() - Date.parse(test.tested_at)) / (24 * HOUR_MS));
    const found = `${test.file} was restored ${days} days ago, and all was right`;
    return days <= TEST_DAYS ? ok(found) : warn(found, advice);
  },
};
