import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { access, chmod, constants, lchown, lstat, mkdir, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import { closedFolder, isRoot, postgresAccount } from "./embedded-account.ts";
import { PRIVATE_FOLDER } from "./embedded-binaries.ts";
import { errnoOf, runTool, type Account } from "./embedded-process.ts";

/** Where one database lives, and as whom it runs. */
export interface Home {
  /** The application's data folder, without symbolic links. */
  readonly dataDir: string;
  /** PostgreSQL's own folder, without symbolic links; it may not exist yet. */
  readonly pgData: string;
  /** Made when a new database is complete: `<dataDir>/postgres`, if the database lies elsewhere. */
  readonly link: string | undefined;
  readonly account: Account | undefined;
  readonly logFile: string;
}

export const PORT = 5432;

/** unix(7): `sun_path` has 108 bytes, the last of which is 0. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Makes the data folder, and finds the database in it: `<dataDir>/postgres`, which may be a link, and may not exist yet. */
export async function findHome(dataDir: string): Promise<Home> {
  const folder = await makeDataFolder(resolve(dataDir));
  const place = join(folder, "postgres");
  const base = { dataDir: folder, logFile: join(folder, "postgres.log"), link: undefined };
  if ((await lstat(place).catch(() => undefined)) === undefined) {
    return { ...base, pgData: place, account: isRoot() ? await postgresAccount() : undefined };
  }
  const pgData = await realpath(place).catch(() => {
    throw new UserError(
      `${place} leads to a database that is not there (any more): bring it back, or remove the link to start with an empty one`,
    );
  });
  return { ...base, pgData, account: await ownerOf(pgData) };
}

/**
 * Decides where a new database goes, under the start lock: into the data folder, with one exception. As root,
 * PostgreSQL runs under the account `postgres`; when a folder on the way is closed to it (`/root` has mode 0700), the
 * database is made in a folder of its own under {@link PRIVATE_FOLDER}, and `<dataDir>/postgres` becomes a symbolic link
 * to it. Opening a closed folder to others is not ours to do, and PostgreSQL resolves its path from the root folder.
 */
export async function placeNewDatabase(home: Home): Promise<Home> {
  if (home.account === undefined || existsSync(home.pgData)) return home;
  const closed = await closedFolder(home.dataDir, home.account);
  if (closed === undefined) return home;
  return { ...home, pgData: await makePrivatePlace(home.dataDir, closed), link: home.pgData };
}

async function makeDataFolder(dataDir: string): Promise<string> {
  try {
    const created = await mkdir(dataDir, { recursive: true });
    if (created !== undefined) await chmod(dataDir, isRoot() ? 0o711 : 0o700);
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return await realpath(dataDir);
  } catch (error) {
    throw new UserError(
      `the data folder ${dataDir} cannot be used (${messageOf(error)}): give it to the user hpc-billing runs as, or set DATA_DIR`,
    );
  }
}

/** As root an existing database runs as its owner, so that a command tried with sudo spoils nothing for the ordinary user. */
async function ownerOf(pgData: string): Promise<Account | undefined> {
  const { uid, gid } = await lstat(pgData);
  if (!isRoot()) {
    if (uid === process.getuid?.()) return undefined;
    throw new UserError(`the database in ${pgData} belongs to user ${uid}: start hpc-billing as that user, or as root`);
  }
  const account = uid === 0 ? await postgresAccount() : { uid, gid };
  const closed = await closedFolder(dirname(pgData), account);
  if (closed !== undefined) throw new UserError(closedMessage(pgData, closed));
  // A copy that root has put back.
  if (uid === 0) await runTool("chown", ["-R", `${account.uid}:${account.gid}`, pgData]);
  return account;
}

async function makePrivatePlace(dataDir: string, closed: string): Promise<string> {
  // A new name each time: a data folder that was removed and made again must not get its old database back, nor one
  // that was renamed lose it. The link in the data folder alone says which database is whose.
  const prefix = `${shortHash(dataDir)}-`;
  const folder = join(PRIVATE_FOLDER, `${prefix}${randomBytes(4).toString("hex")}`);
  try {
    await mkdir(PRIVATE_FOLDER, { recursive: true });
    await chmod(PRIVATE_FOLDER, 0o755);
    await removeUnfinishedPlaces(prefix);
    await mkdir(folder);
    await chmod(folder, 0o711);
  } catch (error) {
    throw new UserError(`${closedMessage(dataDir, closed)} (${folder} could not be made instead: ${messageOf(error)})`);
  }
  return join(folder, "postgres");
}

/** What first starts of this data folder have left that were killed: places without a complete database. */
async function removeUnfinishedPlaces(prefix: string): Promise<void> {
  for (const name of await readdir(PRIVATE_FOLDER)) {
    const place = join(PRIVATE_FOLDER, name);
    if (!name.startsWith(prefix) || existsSync(join(place, "postgres"))) continue;
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

function closedMessage(folder: string, closed: string): string {
  return (
    `PostgreSQL runs under an ordinary account, which cannot reach ${folder}: ${closed} is closed to it;` +
    ` allow it to pass (chmod o+x ${closed}), set DATA_DIR to another folder, or start hpc-billing as an ordinary user`
  );
}

/**
 * The folder of the socket. It is closed to everybody but the owner of the database (and root), which is what guards
 * the database: whoever can reach the socket is let in. Beside the database, unless the path is too long for a socket.
 */
export async function makeSocketFolder(home: Home): Promise<string> {
  const beside = join(dirname(home.pgData), "postgres-socket");
  const fits = Buffer.byteLength(join(beside, `.s.PGSQL.${PORT}`)) <= MAX_SOCKET_PATH_BYTES;
  const folder = fits ? beside : join(tmpdir(), `hpc-billing-${shortHash(home.pgData)}`);
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const owner = home.account ?? self;
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (errnoOf(error) !== "EEXIST") throw error;
  });
  const found = await lstat(folder);
  const isOurs = found.uid === owner.uid || found.uid === self.uid;
  if (!found.isDirectory() || !isOurs || (found.mode & 0o077) !== 0) {
    throw new UserError(
      `${folder} is not a private folder of user ${owner.uid}: remove it, the database's socket belongs there`,
    );
  }
  await lchown(folder, owner.uid, owner.gid);
  return folder;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
