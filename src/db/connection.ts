import pg from "pg";

const INT8 = 20;
const DATE = 1082;

/** How PostgreSQL's types become ours: int8 is a bigint, a date stays `YYYY-MM-DD`; the rest as `pg` has it. */
const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (oid === INT8) return (value: string) => BigInt(value);
    if (oid === DATE) return (value: string) => value;
    return format === undefined ? pg.types.getTypeParser(oid) : pg.types.getTypeParser(oid, format);
  },
};

/**
 * Accepts what the documented platform's environment files hold: `postgresql+psycopg2://` is the same as `postgres://`.
 */
export function normalizeDatabaseUrl(url: string): string {
  return url.replace(/^postgres(ql)?(\+\w+)?:\/\//u, "postgres://");
}

/** A single connection outside of the pool, for migrations. */
export function openClient(connectionString: string): pg.Client {
  const client = new pg.Client({ connectionString: normalizeDatabaseUrl(connectionString), types: typeParsers });
  // Without a listener a connection that breaks would end the process; the statement under way, or the next, tells it too.
  client.on("error", () => undefined);
  return client;
}

export function openPool(
  connectionString: string,
  options: { max: number; onIdleError: (error: Error) => void },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: normalizeDatabaseUrl(connectionString),
    max: options.max,
    types: typeParsers,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
  });
  // A connection that breaks while nobody uses it would otherwise end the process.
  pool.on("error", options.onIdleError);
  return pool;
}
