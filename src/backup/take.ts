import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { archiveOf, type ArchiveOptions } from "./archive.ts";
import { cipherOf, encryptTo } from "./crypt.ts";
import { backupName, openFolder } from "./folder.ts";
import type { Manifest } from "./format.ts";
import { UserError } from "../errors.ts";
import { openSnapshot } from "./snapshot.ts";

export interface BackupRequest extends Pick<ArchiveOptions, "version" | "keyring" | "onTable"> {
  readonly databaseUrl: string;
  readonly folder: string;
  readonly now: Date;
  /** Empty: not encrypted. */
  readonly recipients: readonly string[];
  /** How many complete ones may stay; null: all. */
  readonly keep: number | null;
}

export interface BackupTaken {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest: Manifest;
  /** Names of older ones that were removed. */
  readonly removed: readonly string[];
}

/**
 * Writes one backup: all rows as they were at one instant, while others write. A kill at any moment leaves no file that
 * looks like a backup, or a complete one; older ones are removed only afterwards.
 */
export async function takeBackup(request: BackupRequest): Promise<BackupTaken> {
  const cipher = cipherOf(request.recipients);
  const folder = await openFolder(request.folder);
  try {
    const written = await write(request, folder.unfinished);
    const { bytes, sha256, manifest } = written;
    const path = await folder.finish(backupName(request.now, cipher), { taken_at: manifest.taken_at, bytes, sha256 });
    return { path, ...written, removed: request.keep === null ? [] : await folder.keep(request.keep) };
  } finally {
    await folder.close();
  }
}

async function write(
  request: BackupRequest,
  path: string,
): Promise<Pick<BackupTaken, "bytes" | "sha256" | "manifest">> {
  const snapshot = await openSnapshot(request.databaseUrl);
  try {
    let manifest: Manifest | undefined;
    const source = archiveOf(snapshot, { ...request, takenAt: request.now, onManifest: (made) => (manifest = made) });
    const digest = createHash("sha256");
    let bytes = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        digest.update(chunk);
        bytes += chunk.length;
        done(null, chunk);
      },
    });
    // Flushed: it is on the disk before it gets its name.
    const file = createWriteStream(path, { flags: "w", mode: 0o600, flush: true });
    await compressed(Readable.from(source, { objectMode: false }), [meter, file], request.recipients);
    if (manifest === undefined) throw new Error("the archive ended without a manifest");
    return { bytes, sha256: digest.digest("hex"), manifest };
  } finally {
    await snapshot.close();
  }
}

async function compressed(
  source: Readable,
  [meter, file]: [Transform, Writable],
  recipients: readonly string[],
): Promise<void> {
  const cipher = cipherOf(recipients);
  if (cipher === null) return pipeline(source, createZstdCompress(), meter, file);
  const program = encryptTo(cipher, recipients);
  const flows = [pipeline(source, createZstdCompress(), program.input), pipeline(program.output, meter, file)];
  try {
    await Promise.all([...flows, program.ended()]);
  } catch (error) {
    const complaint = await program.stop();
    await Promise.allSettled(flows);
    // What the program said tells more than the pipe that it broke.
    throw complaint === undefined ? error : new UserError(complaint);
  }
}
