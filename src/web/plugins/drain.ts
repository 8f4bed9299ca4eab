import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "./context.ts";

/** Orchestrators kill after 30 s; by then we have closed ourselves, the work queue and the database too. */
const LONGEST_MS = 15_000;

/**
 * Ends the server without losing a request: readiness answers 503, the load balancer gets `noticeMs` to see it, then
 * nothing new is accepted, what is under way is finished, and what takes too long is cut off.
 */
export function drainGracefully(app: App): void {
  let ending: Promise<void> | undefined;
  app.decorate("isDraining", () => ending !== undefined);
  app.decorate("drain", ({ noticeMs = 0 }: { readonly noticeMs?: number } = {}) => {
    ending ??= end(app, Math.min(noticeMs, LONGEST_MS / 2));
    return ending;
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    // Otherwise a proxy keeps the connection for its next request, and we wait for nothing.
    if (ending !== undefined) reply.header("connection", "close");
    done(null, payload);
  });
}

async function end(app: App, noticeMs: number): Promise<void> {
  if (noticeMs > 0) await sleep(noticeMs);
  const cutOff = setTimeout(() => {
    app.log.warn("requests were still under way and are cut off");
    app.server.closeAllConnections();
  }, LONGEST_MS - noticeMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}
