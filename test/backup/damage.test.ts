import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { MANIFEST, signManifest, type Manifest } from "../../src/backup/format.ts";
import { readTar, tarEnd, tarEntry, type TarEntry } from "../../src/backup/tar.ts";
import type { BackupTaken } from "../../src/backup/take.ts";
import { UserError } from "../../src/errors.ts";
import { createTestContext, TEST_KEYRING } from "../support/context.ts";
import { backUp, backupFolder, createEmptyDatabase, OTHER_KEYRING, restore, somebodyPays, stateOf } from "./support.ts";

let taken: BackupTaken;
let bytes: Buffer;
let damaged: string;
let empty: { url: string; drop(): Promise<void> };

beforeAll(async () => {
  const context = await createTestContext();
  await somebodyPays(context);
  taken = await backUp(context, { folder: backupFolder() });
  bytes = readFileSync(taken.path);
  await context.close();
});

beforeEach(async () => {
  empty = await createEmptyDatabase();
  damaged = join(backupFolder(), "..", "damaged.tar.zst");
});

afterEach(async () => {
  // Whatever was refused left nothing.
  expect(await stateOf(empty.url)).toEqual(new Map());
  await empty.drop();
});

async function refusalOf(content: Uint8Array): Promise<Error> {
  writeFileSync(damaged, content);
  try {
    await restore({ databaseUrl: empty.url, file: damaged });
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it was restored");
}

async function entries(): Promise<TarEntry[]> {
  async function* whole() {
    yield zstdDecompressSync(bytes);
  }
  const found: TarEntry[] = [];
  for await (const entry of readTar(whole())) found.push({ name: entry.name, data: Buffer.from(entry.data) });
  return found;
}

function archive(of: readonly TarEntry[]): Buffer {
  return zstdCompressSync(Buffer.concat([...of.flatMap((entry) => tarEntry(entry, new Date(0))), tarEnd()]));
}

function edited(of: readonly TarEntry[], name: string, from: string, to: string): TarEntry[] {
  const text = (entry: TarEntry): string => entry.data.toString("latin1");
  expect(of.some((entry) => entry.name.startsWith(name) && text(entry).includes(from))).toBe(true);
  return of.map((entry) =>
    entry.name.startsWith(name) ? { ...entry, data: Buffer.from(text(entry).replaceAll(from, to), "latin1") } : entry,
  );
}

it("a file that is cut off anywhere is refused", async () => {
  for (const part of [0, 0.001, 0.3, 0.7, 0.99]) {
    const failure = await refusalOf(bytes.subarray(0, Math.floor(bytes.length * part)));
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toContain("not whole");
  }
  // The very last byte ends the compression and holds nothing of ours: it is missed by what was noted beside the file.
  copyFileSync(`${taken.path}.json`, `${damaged}.json`);
  expect((await refusalOf(bytes.subarray(0, -1))).message).toMatch(/not whole|SHA-256/u);
});

it("an archive that was cut between two of its files is refused", async () => {
  const all = await entries();
  expect((await refusalOf(archive(all.slice(0, -1)))).message).toContain("no manifest");
  expect((await refusalOf(archive(all.slice(0, 4)))).message).toContain("no manifest");
});

it("a file with a flipped bit is refused, wherever it is", async () => {
  // Some bits of the compression mean nothing; by what was noted beside the file they are found as well.
  copyFileSync(`${taken.path}.json`, `${damaged}.json`);
  for (const at of [
    4,
    5,
    bytes.length - 1,
    ...Array.from({ length: 5 }, (_, n) => Math.floor((bytes.length * n) / 5)),
  ]) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
    await refusalOf(flipped);
  }
});

it("something else than a backup is refused", async () => {
  expect((await refusalOf(Buffer.from("not a backup at all"))).message).toContain("no backup");
  expect((await refusalOf(zstdCompressSync(Buffer.alloc(4_096, "x")))).message).toContain("no backup");
  expect((await refusalOf(archive([{ name: "hello.txt", data: Buffer.from("hello") }]))).message).toContain(
    "no backup",
  );
});

it("edited rows are refused", async () => {
  const changed = edited(await entries(), "tables/receipts/", "THB", "USD");
  expect((await refusalOf(archive(changed))).message).toContain("the rows of receipts are not those");
});

it("rows that were left out are refused, also where a whole table is missing", async () => {
  const all = await entries();
  const without = all.filter(({ name }) => !name.startsWith("tables/payment_events/"));
  expect((await refusalOf(archive(without))).message).toContain("payment_events");
});

it("a manifest that was made to fit edited rows is refused without the key it is signed with", async () => {
  const all = await entries();
  const last = all.at(-1);
  const { manifest } = z.object({ manifest: z.custom<Manifest>() }).parse(JSON.parse(last?.data.toString() ?? ""));
  const forged = signManifest({ ...manifest, version: "9.9.9" }, OTHER_KEYRING);
  const header = edited(all.slice(0, -1), "header.json", '"1.2.3"', '"9.9.9"');
  const failure = await refusalOf(archive([...header, { name: MANIFEST, data: Buffer.from(JSON.stringify(forged)) }]));
  expect(failure.message).toContain("its signature does not match");
});

it("a backup of a newer version is refused by name", async () => {
  const newer = edited(await entries(), "header.json", '"0001_initial.sql"', '"9999_future.sql"');
  expect((await refusalOf(archive(newer))).message).toContain(
    "has migration 9999_future.sql, which this version does not know",
  );
});

it("without the audit key it is refused, and restored if told to accept that", async () => {
  const request = { databaseUrl: empty.url, file: taken.path, keyring: OTHER_KEYRING };
  await expect(restore(request)).rejects.toThrow("--accept-broken-chain");
  expect(await stateOf(empty.url)).toEqual(new Map());
  const { accepted } = await restore({ ...request, isTrial: true, acceptsBrokenChain: true });
  expect(accepted).toEqual([
    expect.stringContaining("its signature does not match"),
    expect.stringContaining("broken at record 1"),
  ]);
  const ring = { activeKeyId: "new", keys: new Map([["new", "a newer secret"]]) };
  await expect(restore({ ...request, keyring: ring })).rejects.toThrow('signed with the audit key "test"');
  expect(TEST_KEYRING.activeKeyId).toBe("test");
});
