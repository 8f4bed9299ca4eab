/** Encryption by the programs that people trust with it: age, or gpg. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { UserError } from "../errors.ts";

/** The program, which is also the ending of an encrypted file's name. */
export type Cipher = "age" | "gpg";

/** A program that takes bytes on one side and gives them on the other. */
export interface CryptProgram {
  readonly input: Writable;
  readonly output: Readable;
  /** Waits for its end. @throws {UserError} unless it ended well. */
  ended(): Promise<void>;
  /** Ends it, and gives what it had to complain about before. */
  stop(): Promise<string | undefined>;
}

/**
 * Which program encrypts to these: age's recipients begin with `age1` or are SSH keys; all else is gpg's to look up.
 *
 * @throws {UserError} for recipients of both.
 */
export function cipherOf(recipients: readonly string[]): Cipher | null {
  const ciphers = new Set(recipients.map((one): Cipher => (/^(age1|ssh-)/u.test(one) ? "age" : "gpg")));
  if (ciphers.size > 1)
    throw new UserError("--encrypt-to takes recipients of age (age1…, ssh-…) or of gpg, not of both at once");
  return [...ciphers][0] ?? null;
}

export function encryptTo(cipher: Cipher, recipients: readonly string[]): CryptProgram {
  const named = recipients.flatMap((one) => ["--recipient", one]);
  return start(
    cipher,
    cipher === "age"
      ? ["--encrypt", ...named]
      : ["--batch", "--no-tty", "--trust-model", "always", "--compress-algo", "none", ...named, "--encrypt"],
  );
}

/** @param identity the file with age's secret key; gpg finds its own. */
export function decryptWith(cipher: Cipher, identity: string | undefined): CryptProgram {
  if (cipher === "gpg") return start("gpg", ["--batch", "--no-tty", "--decrypt"]);
  if (identity === undefined)
    throw new UserError("it is encrypted with age: name the file with the secret key by --identity");
  return start("age", ["--decrypt", "--identity", identity]);
}

function start(program: Cipher, args: readonly string[]): CryptProgram {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
  const exit = new Promise<{ isWell: boolean; complaint?: string }>((resolve) => {
    child.on("error", (error) =>
      resolve({
        isWell: false,
        complaint:
          "code" in error && error.code === "ENOENT"
            ? `the program ${program} is not installed here (Debian: apt install ${program === "age" ? "age" : "gnupg"})`
            : error.message,
      }),
    );
    child.on("close", (code) => {
      resolve(code === null ? { isWell: false } : { isWell: code === 0, ...(code !== 0 && { complaint: `${program} failed: ${said.trim() || `code ${code}`}` }) }); // prettier-ignore
    });
  });
  return {
    input: child.stdin,
    output: child.stdout,
    ended: async () => {
      const { isWell, complaint } = await exit;
      if (!isWell) throw new UserError(complaint ?? `${program} was killed`);
    },
    stop: async () => {
      child.kill("SIGKILL");
      return (await exit).complaint;
    },
  };
}
