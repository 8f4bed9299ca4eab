import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { runTool, type Account } from "./embedded-process.ts";

const ACCOUNT_NAME = "postgres";

/** True as root: PostgreSQL refuses to run so, and is started under an ordinary account. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The system account `postgres`, created when the machine has none. */
export async function postgresAccount(): Promise<Account> {
  const found = await findAccount();
  if (found !== undefined) return found;
  const answer = await runTool("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
    ACCOUNT_NAME,
  ]);
  // Looked up whatever useradd says: another process may have been faster.
  const created = await findAccount();
  if (created !== undefined) return created;
  throw new UserError(
    `PostgreSQL does not run as root, and the account ${ACCOUNT_NAME} to run it under could not be created` +
      ` (useradd: ${answer.output.trim() || String(answer.code)}): create it, start hpc-billing as an ordinary user, or set DATABASE_URL`,
  );
}

async function findAccount(): Promise<Account | undefined> {
  const [uid, gid] = await Promise.all([runTool("id", ["-u", ACCOUNT_NAME]), runTool("id", ["-g", ACCOUNT_NAME])]);
  if (uid.code !== 0 || gid.code !== 0) return undefined;
  return { uid: Number(uid.output), gid: Number(gid.output) };
}

/** The first folder on the way to `folder`, itself included, that the account may not enter; undefined when it gets there. */
export async function closedFolder(folder: string, account: Account): Promise<string | undefined> {
  const parent = dirname(folder);
  const above = parent === folder ? undefined : await closedFolder(parent, account);
  if (above !== undefined) return above;
  const { uid, gid, mode } = await stat(folder);
  const searchBit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  return (mode & searchBit) === 0 ? folder : undefined;
}
