import { setTimeout } from "node:timers/promises";

/** Whether the promise, which must not reject, settles within so many seconds. */
export async function isSettledWithin(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  const over = new AbortController();
  const settled = promise.then(() => true);
  const late = setTimeout(seconds * 1_000, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([settled, late]);
  } finally {
    over.abort();
  }
}
