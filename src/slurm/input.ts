/** Opens what a dump is read from. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { messageOf, UserError } from "../errors.ts";

/** A dump that was opened; its bytes may be gzip, which `readDump` takes off. */
export interface DumpInput {
  /** The path as given, or `standard input`. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Size on disk, to show progress; null for standard input and pipes. */
  readonly sizeBytes: number | null;
}

const READ_BYTES = 262_144;

/**
 * Opens a file, or standard input for `-`. Nothing is read before the bytes are asked for.
 * @throws UserError that names the path, when it cannot be opened or is a folder.
 */
export async function openDump(path: string): Promise<DumpInput> {
  if (path === "-") return { name: "standard input", bytes: process.stdin, sizeBytes: null };
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UserError(`${path} is a folder; give the files in it.`);
    return {
      name: path,
      bytes: createReadStream(path, { highWaterMark: READ_BYTES }),
      sizeBytes: found.isFile() ? found.size : null,
    };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
}
