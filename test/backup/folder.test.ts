import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backupsIn, lastRestoreTest, newestBackup, noteRestoreTest } from "../../src/backup/folder.ts";
import { lockFile } from "../../src/db/embedded-lock.ts";
import { aJob, createTestContext, type TestContext } from "../support/context.ts";
import { until } from "../support/until.ts";
import { backUp, backupFolder, createEmptyDatabase, restore, somebodyPays } from "./support.ts";

let context: TestContext;
let folder: string;

beforeEach(async () => {
  context = await createTestContext();
  folder = backupFolder();
});

afterEach(() => context.close());

describe("a folder of backups", () => {
  it("keeps as many as it is told, the newest, and touches nothing else", async () => {
    const names: string[] = [];
    for (let n = 0; n < 4; n++) {
      const now = new Date(Date.UTC(2026, 10, 1 + n));
      const taken = await backUp(context, { folder, now, keep: 2 });
      names.push(...(await backupsIn(folder)).filter((name) => !names.includes(name)));
      expect(taken.removed).toEqual(n < 2 ? [] : [names[n - 2]]);
      if (n === 0) writeFileSync(join(folder, "notes.txt"), "mine");
    }
    expect(await backupsIn(folder)).toEqual(names.slice(2));
    expect(readdirSync(folder).toSorted()).toEqual(
      [".lock", ...names.slice(2).flatMap((name) => [name, `${name}.json`]), "notes.txt"].toSorted(),
    );
  });

  it("tells the newest without opening it, and when one was last restored", async () => {
    expect(await newestBackup(folder)).toBeUndefined();
    const { path, bytes, sha256 } = await backUp(context, { folder, now: new Date("2026-11-02T00:00:00Z") });
    const newest = await newestBackup(folder);
    expect(newest).toMatchObject({ taken_at: "2026-11-02T00:00:00.000Z", bytes, sha256 });
    expect(await lastRestoreTest(folder)).toBeUndefined();
    const test = {
      file: newest?.file ?? "",
      taken_at: "2026-11-02T00:00:00.000Z",
      tested_at: "2026-11-03T00:00:00.000Z",
    };
    await noteRestoreTest(path, test);
    expect(await lastRestoreTest(folder)).toEqual(test);
  });

  it("is written to by one backup at a time", async () => {
    await backUp(context, { folder });
    const lock = await lockFile(join(folder, ".lock"), { wait: false });
    await expect(backUp(context, { folder })).rejects.toThrow("another backup is being written");
    lock?.release();
    await backUp(context, { folder });
  });

  it("holds only complete ones when backups are killed at any moment, and is tidied by the next", async () => {
    const rows = Array.from({ length: 4_000 }, () => aJob());
    await context.importJobs(rows);
    await somebodyPays(context);
    const moments: (() => boolean)[] = [
      () => readdirSync(folder).includes(".lock"),
      () => readdirSync(folder).some((name) => name.startsWith(".unfinished-")),
      () => readdirSync(folder).some((name) => name.endsWith(".zst.json")),
      () => readdirSync(folder).some((name) => name.endsWith(".zst")),
    ];
    await backUp(context, { folder, keep: 1 });
    for (const hasCome of moments) {
      for (const name of await backupsIn(folder)) expect(readdirSync(folder)).toContain(`${name}.json`);
      const child = spawn(process.execPath, [join(import.meta.dirname, "take-one.ts"), context.url, folder], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const exit = once(child, "exit");
      await until("it has come so far", () => hasCome());
      child.kill("SIGKILL");
      await exit;
      const target = await createEmptyDatabase();
      const newest = (await backupsIn(folder)).at(-1) ?? "";
      await restore({ databaseUrl: target.url, file: join(folder, newest) });
      await target.drop();
    }
    const { path } = await backUp(context, { folder, keep: 1 });
    expect(
      readdirSync(folder)
        .filter((name) => name !== ".lock")
        .toSorted(),
    ).toEqual([path, `${path}.json`].map((one) => one.slice(folder.length + 1)));
  });
});
