/**
 * What stands in a backup: a tar archive (zstd, and encrypted if wanted) of `header.json`, the rows of every table as
 * pieces of PostgreSQL's text COPY in `tables/NAME/000001.copy`, and `manifest.json` as its end. All of it can be read
 * with tar and psql alone.
 */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { canonicalJson, sameHash, type AuditKeyring } from "../audit/chain.ts";

export const HEADER = "header.json";
export const MANIFEST = "manifest.json";

const whole = z.string().regex(/^-?\d+$/u);
/** Of the database's objects, as our migrations name them. */
const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/u);

const tableSchema = z.object({ name, columns: z.array(name) });

const headerSchema = z.object({
  format: z.literal(1),
  product: z.literal("hpc-billing"),
  version: z.string(),
  taken_at: z.iso.datetime(),
  server: z.string(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  /** In an order in which they can be filled: whom others refer to first. */
  tables: z.array(tableSchema),
  sequences: z.array(z.object({ name, last_value: whole, is_called: z.boolean() })),
  /** The end of the audit chain. */
  audit: z.object({ records: whole, head: z.string() }),
});

const controlSchema = tableSchema.extend({
  rows: whole,
  bytes: whole,
  sha256: z.string(),
  /** Of every column of whole numbers: jobs, seconds, amounts of money. */
  sums: z.record(name, z.string()),
});

const manifestSchema = headerSchema.extend({ tables: z.array(controlSchema) });
const signedSchema = z.object({ manifest: manifestSchema, key_id: z.string(), hmac: z.string() });

export type Header = z.output<typeof headerSchema>;
export type Manifest = z.output<typeof manifestSchema>;
/** What a table must hold when it was restored. */
export type TableControl = z.output<typeof controlSchema>;
export type Signed = z.output<typeof signedSchema>;

/** Undefined for bytes that are no header of ours. */
export function readHeader(bytes: Buffer): Header | undefined {
  return parsed(headerSchema, bytes);
}

/** Undefined for bytes that are no manifest of ours. */
export function readManifest(bytes: Buffer): Signed | undefined {
  return parsed(signedSchema, bytes);
}

function parsed<T>(schema: z.ZodType<T>, bytes: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(bytes.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Signs a manifest with the active key of the audit chain, so that a backup cannot be edited without that key. */
export function signManifest(manifest: Manifest, keyring: AuditKeyring): Signed {
  const hmac = hmacOf(manifest, keyring, keyring.activeKeyId);
  if (hmac === undefined) throw new Error(`the audit keyring has no key "${keyring.activeKeyId}"`);
  return { manifest, key_id: keyring.activeKeyId, hmac };
}

/** What is wrong with a manifest's signature; undefined when it is right. */
export function signatureProblem({ manifest, key_id, hmac }: Signed, keyring: AuditKeyring): string | undefined {
  const expected = hmacOf(manifest, keyring, key_id);
  if (expected === undefined)
    return `it is signed with the audit key "${key_id}", which AUDIT_HMAC_KEYRING does not have`;
  return sameHash(expected, hmac)
    ? undefined
    : "its signature does not match: it was changed, or signed with another key";
}

function hmacOf(manifest: Manifest, keyring: AuditKeyring, keyId: string): string | undefined {
  const key = keyring.keys.get(keyId);
  // Said first what is signed, so that no audit record can stand in for a manifest.
  return key === undefined
    ? undefined
    : createHmac("sha256", key).update("backup manifest\n").update(canonicalJson(manifest)).digest("hex");
}

/** What the beginning and the end of a backup both say. */
export function canonicalHeader(header: Header): string {
  const tables = header.tables.map(({ name, columns }) => ({ name, columns }));
  return canonicalJson({ ...header, tables });
}
