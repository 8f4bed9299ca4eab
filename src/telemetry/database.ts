/** Spans of database statements: their text, which has placeholders, and never the values. */
import type pg from "pg";
import { kindOf, type OpenSpan, type Tracing } from "./tracing.ts";

const LONGEST_TEXT = 2_000;

type Query = (...args: readonly unknown[]) => unknown;

/** The pool, with a span for each statement; the time that a caller waits for a connection is part of it. */
export function tracedPool(pool: pg.Pool, tracing: Tracing): pg.Pool {
  return new Proxy(pool, {
    get(target, name) {
      if (name === "query") return tracedQuery(target, tracing);
      if (name === "connect") return async () => tracedClient(await target.connect(), tracing);
      return ownProperty(target, name);
    },
  });
}

function tracedClient(client: pg.PoolClient, tracing: Tracing): pg.PoolClient {
  const query = tracedQuery(client, tracing);
  return new Proxy(client, { get: (target, name) => (name === "query" ? query : ownProperty(target, name)) });
}

/** Methods keep working on the real thing, which has private parts. */
function ownProperty(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === "function" ? value.bind(target) : value;
}

function tracedQuery(target: pg.Pool | pg.PoolClient, tracing: Tracing): Query {
  return (...args) => {
    const [text] = args;
    // Streams, which COPY uses, are their own affair: they end with the statement's caller.
    if (typeof text !== "string") return ask(target, args);
    const operation = /^\s*(\w+)/u.exec(text)?.[1]?.toUpperCase() ?? "";
    const span = tracing.startWithin(operation, {
      kind: "client",
      attributes: {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
        "db.query.text": text.replaceAll(/\s+/gu, " ").trim().slice(0, LONGEST_TEXT),
      },
    });
    return span === undefined ? ask(target, args) : watched(ask(target, args), span);
  };
}

function ask(target: pg.Pool | pg.PoolClient, args: readonly unknown[]): unknown {
  const answer: unknown = Reflect.apply(target.query, target, args);
  return answer;
}

async function watched(answer: unknown, span: OpenSpan): Promise<unknown> {
  try {
    const result = await answer;
    span.set({ "db.response.returned_rows": rowCountOf(result) });
    return result;
  } catch (error) {
    span.fail(error);
    span.set({ "db.response.status_code": kindOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

function rowCountOf(result: unknown): number {
  const hasCount = typeof result === "object" && result !== null && "rowCount" in result;
  return hasCount && typeof result.rowCount === "number" ? result.rowCount : 0;
}
