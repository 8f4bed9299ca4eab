import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UpstreamError } from "../../src/errors.ts";
import { listDrops } from "../../src/slurm/drop-folder.ts";

const NOW = new Date("2026-11-01T02:00:00Z");
const OPTIONS = { now: NOW, settleSeconds: 60 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hpcb-drops-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function drop(name: string, secondsAgo = 3_600, text = name): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  const modifiedAt = new Date(NOW.getTime() - secondsAgo * 1_000);
  utimesSync(path, modifiedAt, modifiedAt);
  return path;
}

test("dumps are listed by name, and nothing else is", async () => {
  for (const name of ["b.psv", "a.csv.gz", "c.TXT", "d.psv.gz"]) drop(name);
  for (const name of [".hidden.psv", "e.psv.part", "f.psv.tmp", "g.tar", "README", "h.psv.gz.filepart"]) drop(name);
  mkdirSync(join(folder, "folder.psv"));
  symlinkSync("/etc/passwd", join(folder, "link.txt"));
  const { ready, waiting } = await listDrops(folder, OPTIONS);
  expect(ready.map(({ name }) => name)).toEqual(["a.csv.gz", "b.psv", "c.TXT", "d.psv.gz"]);
  expect(waiting).toEqual([]);
});

test("a dump has its size, its time and the hash of its bytes", async () => {
  const path = drop("b.psv", 90, "JobID|State\n");
  const [found] = (await listDrops(folder, OPTIONS)).ready;
  expect(found).toMatchObject({ name: "b.psv", path, sizeBytes: 12, modifiedAt: new Date("2026-11-01T01:58:30Z") });
  expect(await found?.sha256()).toBe(createHash("sha256").update("JobID|State\n").digest("hex"));
});

test("a file that changed a moment ago waits until it is still", async () => {
  drop("old.psv", 60);
  drop("new.psv", 59);
  const { ready, waiting } = await listDrops(folder, OPTIONS);
  expect(ready.map(({ name }) => name)).toEqual(["old.psv"]);
  expect(waiting).toEqual(["new.psv"]);
});

test("a folder that is not there is an error that names it", async () => {
  const listing = listDrops(join(folder, "nowhere"), OPTIONS);
  await expect(listing).rejects.toThrow(UpstreamError);
  await expect(listing).rejects.toThrow(join(folder, "nowhere"));
});

test("a dump that is gone again is an error when it is read, and none when it is listed", async () => {
  drop("b.psv");
  const [found] = (await listDrops(folder, OPTIONS)).ready;
  rmSync(join(folder, "b.psv"));
  await expect(found?.sha256()).rejects.toThrow(UpstreamError);
  expect(await listDrops(folder, OPTIONS)).toEqual({ ready: [], waiting: [] });
});
