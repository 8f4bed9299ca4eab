import { basename } from "node:path";
import { auditWriter } from "../audit/store.ts";
import type { AuditKeyring } from "../audit/chain.ts";
import type { Clock } from "../clock.ts";
import { openPool } from "../db/connection.ts";
import { Database, raw, sql, type Transaction } from "../db/database.ts";
import { MIGRATION_LOCK } from "../db/migrate.ts";
import { UserError } from "../errors.ts";
import { quoted } from "./catalog.ts";
import { chainProblem, checkBytes, checkTotals } from "./check.ts";
import {
  HEADER,
  MANIFEST,
  readHeader,
  readManifest,
  signatureProblem,
  type Header,
  type Manifest,
  type Signed,
} from "./format.ts";
import { Loader, makeSchema } from "./load.ts";
import { readBackup } from "./read.ts";
import { PLAIN_VALUES } from "./snapshot.ts";
import { makeEmpty, useTrialSchema } from "./target.ts";

export interface RestoreRequest {
  readonly databaseUrl: string;
  readonly file: string;
  /** The file with age's secret key. */
  readonly identity: string | undefined;
  readonly keyring: AuditKeyring;
  readonly clock: Clock;
  readonly actor: string;
  /** Whether what is in the database may be dropped. */
  readonly replace: boolean;
  /** Do everything, check everything, and take it back. */
  readonly isTrial: boolean;
  /** Whether it may be restored although signature or audit chain are not right, or their key is lost. */
  readonly acceptsBrokenChain: boolean;
  readonly onTable: (name: string) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  /** What had to be accepted, if anything. */
  readonly accepted: readonly string[];
}

/** Carries the result of a trial out of its transaction, which it ends. */
class TrialEnded extends Error {
  readonly result: Restored;

  constructor(result: Restored) {
    super("the trial is over");
    this.result = result;
  }
}

/**
 * Restores a backup and checks it: bytes, signature, row counts, sums of all numbers, references, the audit chain. All of
 * it is one transaction, so that a kill at any moment, or anything that is not right, leaves the database as it was.
 *
 * @throws {UserError} when the backup or the database is not fit for it; the message says what was wrong.
 */
export async function restoreBackup(request: RestoreRequest): Promise<Restored> {
  const pool = openPool(request.databaseUrl, { max: 1, onIdleError: () => undefined });
  const db = new Database(pool, auditWriter(request.keyring, request.clock));
  try {
    const restored = await db.transaction((tx) => restoreIn(tx, request));
    // Without it the first queries would be planned as if the tables were empty.
    await db.run(sql`ANALYZE`);
    return restored;
  } catch (error) {
    if (error instanceof TrialEnded) return error.result;
    throw error;
  } finally {
    await db.close();
  }
}

async function restoreIn(tx: Transaction, request: RestoreRequest): Promise<Restored> {
  if (request.isTrial) await useTrialSchema(tx);
  else {
    // Whoever starts meanwhile waits, and finds a database that is complete.
    await tx.run(sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await makeEmpty(tx, request);
  }
  await tx.run(PLAIN_VALUES);
  const restored = await loadAndCheck(tx, request);
  if (request.isTrial) throw new TrialEnded(restored);
  const { taken_at, version, audit } = restored.manifest;
  tx.audit({
    actor: request.actor,
    action: "backup.restored",
    subject: `backup:${basename(request.file)}`,
    details: { taken_at, version, ...audit, accepted: restored.accepted },
  });
  return restored;
}

async function loadAndCheck(tx: Transaction, request: RestoreRequest): Promise<Restored> {
  const { header, signed, loaded, tables } = await load(tx, request);
  const { manifest } = signed;
  const problems = [signatureProblem(signed, request.keyring)];
  checkBytes(header, manifest, loaded);
  await checkTotals(tx, manifest, tables);
  const broken = await chainProblem(tx, manifest, request.keyring);
  if (broken !== undefined) problems.push(`the audit chain: ${broken}`);
  const accepted = problems.filter((problem) => problem !== undefined);
  if (accepted.length > 0 && !request.acceptsBrokenChain) {
    throw new UserError(
      `${accepted.join("; ")}. Nothing was restored. Set the SECRET_KEY or AUDIT_HMAC_KEYRING of the installation it comes from; if they are lost, say --accept-broken-chain`,
    );
  }
  return { manifest, accepted };
}

async function load(tx: Transaction, request: RestoreRequest) {
  const entries = readBackup(request.file, request.identity);
  let loader: Loader | undefined;
  try {
    const first = await entries.next();
    const header = first.done === true || first.value.name !== HEADER ? undefined : readHeader(first.value.data);
    if (header === undefined) throw new UserError("it is no backup of this format");
    const tables = await makeSchema(tx, header);
    loader = new Loader(tx, header);
    const signed = await loadRows(loader, entries, request.onTable);
    const loaded = await loader.end();
    await setSequences(tx, header);
    return { header, signed, loaded, tables };
  } catch (error) {
    await loader?.abort();
    throw error;
  } finally {
    await entries.return(undefined);
  }
}

async function loadRows(
  loader: Loader,
  entries: ReturnType<typeof readBackup>,
  onTable: (name: string) => void,
): Promise<Signed> {
  let signed: Signed | undefined;
  for await (const entry of entries) {
    if (signed !== undefined) throw new UserError("something follows its end");
    if (entry.name === MANIFEST) {
      signed = readManifest(entry.data);
      if (signed === undefined) throw new UserError("its manifest cannot be read");
      continue;
    }
    onTable(entry.name);
    await loader.take(entry);
  }
  if (signed === undefined) throw new UserError("it has no manifest: the file is not whole");
  return signed;
}

async function setSequences(tx: Transaction, header: Header): Promise<void> {
  for (const { name, last_value, is_called } of header.sequences) {
    await tx.run(sql`SELECT setval(${quoted(name)}::regclass, ${raw(last_value)}, ${is_called})`);
  }
}
