import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { messageOf, UserError } from "../errors.ts";
import { decryptWith } from "./crypt.ts";
import { cipherOfFile, noteBeside } from "./folder.ts";
import { readTar, type TarEntry } from "./tar.ts";

/**
 * The files in a backup, in their order; decrypted and unpacked while they are read.
 *
 * @param identity the file with age's secret key, for a backup that age encrypted.
 * @throws {UserError} when it cannot be decrypted, is damaged, or not whole.
 */
export async function* readBackup(path: string, identity: string | undefined): AsyncGenerator<TarEntry> {
  await access(path).catch((error: unknown) => {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`);
  });
  const cipher = cipherOfFile(path);
  const note = await noteBeside(path);
  const digest = createHash("sha256");
  const file = createReadStream(path);
  file.on("data", (chunk) => digest.update(chunk));
  const unpacked = createZstdDecompress();
  const program = cipher === null ? undefined : decryptWith(cipher, identity);
  const flows =
    program === undefined
      ? [pipeline(file, unpacked)]
      : [pipeline(file, program.input), pipeline(program.output, unpacked), program.ended()];
  // Told below, where somebody waits for it.
  const flow = Promise.all(flows);
  flow.catch((error: unknown) => unpacked.destroy(error instanceof Error ? error : undefined));
  try {
    yield* readTar(buffersOf(unpacked));
    await flow;
    if (note !== undefined && note.sha256 !== digest.digest("hex"))
      throw new UserError("its SHA-256 is not the one that was noted when it was taken: it was changed");
  } catch (error) {
    const complaint = await program?.stop();
    if (complaint !== undefined) throw new UserError(`${path}: ${complaint}`, { cause: error });
    if (error instanceof UserError || isDamage(error))
      throw new UserError(`${path}: ${damageOf(error)}`, { cause: error });
    throw error;
  } finally {
    // Whoever reads may have had enough.
    file.destroy();
    unpacked.destroy();
    await program?.stop();
  }
}

async function* buffersOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    if (Buffer.isBuffer(chunk)) yield chunk;
  }
}

/** What zlib says of bytes that it did not write. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^(Z_|ZSTD_)/u.test(error.code);
}

function damageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return /unexpected end/u.test(messageOf(error))
    ? "it ends in the middle: the file is not whole"
    : "it is no backup, or a damaged one";
}
